import { expect, test, vi } from "vitest";
import type { DaemonConnection, FollowedEvent, ResultEvent } from "../../../src/index.js";
import { collect, hang, rejection } from "../../support.js";
import { all as allOf, expected, take, turns, until, watched, word } from "./support.js";

const isResult = ({ type }: FollowedEvent) => type === "result";

test("a session is followed by its id: all turns, each event with its turn and position, and the session is not loaded", async () => {
  const { daemon, connection, on, sessionId } = await watched();
  const follow = connection.follow(sessionId);
  const ids = await turns(connection, sessionId, ["one", "two"]);
  const events = [...(await until(follow, isResult)), ...(await until(follow, isResult))];
  expect(events.map(({ type }) => type)).toEqual(["user", "assistant", "result", "user", "assistant", "result"]);
  expect(events.map(({ turnId }) => turnId)).toEqual([...ids.slice(0, 1), ids[0], ids[0], ids[1], ids[1], ids[1]]);
  expect(events[2]).toMatchObject({ subtype: "success", text: "You said: one", messageId: ids[0] });
  expect(on.attached.size).toBe(0);
  expect(daemon.received.some(({ method }) => /load|resume|follow_session/.test(method))).toBe(false);
  await connection.close();
});

test("after a position come the events behind it, replayed and then live, without a seam", async () => {
  const { connection, on, sessionId } = await watched();
  await turns(connection, sessionId, ["one", "two"]);
  const all = await take(connection.follow(sessionId, { after: START, includePartialMessages: true }), 20);
  const follow = connection.follow(sessionId, {
    after: (all[4] as FollowedEvent).position,
    includePartialMessages: true,
  });
  const replayed = await until(follow, isResult);
  await turns(connection, sessionId, ["three"]);
  const live = [...(await until(follow, isResult)), ...(await until(follow, isResult))];
  const words = expected(on);
  expect([...replayed, ...live].map(word)).toEqual(words.slice(5, 5 + replayed.length + live.length));
  await connection.close();
});

test("an entry with two events is continued after the first of them", async () => {
  const { daemon, connection, sessionId } = await watched();
  daemon.onPrompt((prompt) => {
    const id = prompt.toolCall("Execute", { command: "true" });
    prompt.toolResult(id, "done");
    prompt.message("finished");
  });
  await turns(connection, sessionId, ["go"]);
  const all = await until(connection.follow(sessionId, { after: START }), isResult);
  const [call, message] = [all.find(({ type }) => type === "tool_call"), all.find(({ type }) => type === "assistant")];
  expect(call?.position).toEqual({ ...message?.position, seq: (message?.position.seq ?? 0) - 1, part: 1 });
  for (const [index, event] of all.slice(0, -1).entries()) {
    const rest = await until(connection.follow(sessionId, { after: event.position }), isResult);
    expect(rest.map(word)).toEqual(all.slice(index + 1).map(word));
  }
  await connection.close();
});

test("a follow costs no place of a stream, and several have their own pace", async () => {
  const { connection, sessionId } = await watched();
  const session = await connection.resumeSession(sessionId);
  const [one, other] = [session.follow(), connection.follow(sessionId)];
  const events = await collect(session.stream("hello"));
  const first = await until(one, isResult);
  const second = await until(other, isResult);
  // Each measures the duration by itself.
  const timeless = (events: FollowedEvent[]) => events.map((event) => ({ ...event, durationMs: 0 }));
  expect(timeless(first)).toEqual(timeless(second));
  const strip = ({ turnId: _turnId, ...event }: FollowedEvent) => event;
  expect(first.map(strip).slice(0, -1)).toEqual(events.slice(0, -1));
  expect((first.at(-1) as ResultEvent).text).toBe((events.at(-1) as ResultEvent).text);
  expect(first.at(-1)?.position).toEqual(events.at(-1)?.position);
  await session.detach();
  expect(await one.next()).toEqual({ value: undefined, done: true });
  await connection.close();
});

test("a turn that is joined in its middle has the answer in its result", async () => {
  const { daemon, connection, sessionId } = await watched();
  await turns(connection, sessionId, ["one"]);
  const all = await until(connection.follow(sessionId, { after: START, includePartialMessages: true }), isResult);
  const last = all.at(-2) as FollowedEvent;
  const [result] = await until(connection.follow(sessionId, { after: last.position }), isResult);
  expect(result).toMatchObject({ type: "result", text: "You said: one" });
  expect(daemon.received.some(({ method }) => method === "get_turn_events")).toBe(true);
  await connection.close();
});

test("events that the daemon no longer has are told by a gap, and those it has follow", async () => {
  const { connection, on, sessionId } = await watched();
  await turns(connection, sessionId, ["one", "two"]);
  on.journal.prune(3);
  const follow = connection.follow(sessionId, { after: START, includePartialMessages: true });
  const [gap, ...rest] = await until(follow, isResult);
  const kept = on.journal.firstSeq;
  expect(gap).toMatchObject({ type: "gap", reason: "too-old", from: START, to: { seq: kept } });
  expect(gap?.position.seq).toBe(kept - 1);
  expect(rest.map(word)).toEqual(expected(on, kept).slice(0, rest.length));
  await connection.close();
});

test("a signal, a break and a return end a follow at once, without an error", async () => {
  const { connection, sessionId } = await watched();
  const controller = new AbortController();
  const follow = connection.follow(sessionId, { signal: controller.signal });
  const waiting = follow.next();
  controller.abort();
  expect(await waiting).toEqual({ value: undefined, done: true });
  const other = connection.follow(sessionId);
  const next = other.next();
  await other.return();
  expect(await next).toEqual({ value: undefined, done: true });
  await connection.close();
});

test("a follow goes on over a lost link and a restart, and ends without an error when the program closes the connection", async () => {
  const { daemon, connection, on, sessionId } = await watched();
  const follow = connection.follow(sessionId, { after: START, includePartialMessages: true });
  const [one] = await turns(connection, sessionId, ["one"]);
  const before = await until(follow, isResult);
  daemon.restart();
  await turns(connection, sessionId, ["two"]);
  const after = await until(follow, isResult);
  expect([...before, ...after].map(word)).toEqual(expected(on).slice(0, before.length + after.length));
  expect(before.at(-1)?.turnId).toBe(one);
  const rest = allOf(follow);
  await connection.close();
  expect((await rest).every(({ type }) => type === "working_state_changed")).toBe(true);
});

test("by id a prompt is sent, awaited, interrupted, and the session closed, without a handle", async () => {
  const { daemon, connection, on, sessionId } = await watched();
  daemon.onPrompt(hang());
  const { messageId } = await connection.send(sessionId, "go", { messageId: "m-1" });
  expect(messageId).toBe("m-1");
  const receipt = connection.waitForReceipt(sessionId, messageId);
  await connection.interruptSession(sessionId);
  expect(await receipt).toMatchObject({ state: "interrupted", reason: "cancelled" });
  await connection.closeSession(sessionId);
  expect(on.isOpen).toBe(false);
  expect(await connection.waitForReceipt(sessionId, "never-sent")).toMatchObject({ state: "unknown" });
  await connection.close();
});

test("a daemon that does not offer it refuses a follow, and takes a prompt by id over a handle of its own", async () => {
  const { daemon, connection, on, sessionId } = await watched({ plain: true });
  expect(() => connection.follow(sessionId)).toThrow(expect.objectContaining({ code: "METHOD_NOT_FOUND" }));
  await connection.send(sessionId, "hello");
  expect((await daemon.waitForPrompt("hello")).text).toBe("hello");
  expect(on.messages.length).toBeGreaterThan(0);
  await connection.close();
});

test("a position that is none is refused before anything is sent", async () => {
  const { connection, sessionId } = await watched();
  const wrong = { after: { seq: 1 } as unknown as FollowedEvent["position"] };
  expect(() => connection.follow(sessionId, wrong)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  expect(await rejection(connection.follow("no-such-session").next())).toMatchObject({ code: "SESSION_NOT_FOUND" });
  await connection.close();
});

/** The place before the first entry of a session of a fake daemon. */
const START = { epoch: 1, seq: 0 };

test("a follow states where it begins, before there is an event", async () => {
  const { connection, sessionId } = await watched();
  await turns(connection, sessionId, ["one"]);
  const follow = connection.follow(sessionId);
  const begin = await follow.begin;
  await turns(connection, sessionId, ["two"]);
  const live = await until(follow, isResult);
  const again = await until(connection.follow(sessionId, { after: begin }), isResult);
  expect(again.map(word)).toEqual(live.map(word));
  expect(await connection.follow(sessionId, { after: START }).begin).toEqual(START);
  await expect(connection.follow("unknown").begin).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  await connection.close();
});

test("a turn is followed by its id from its beginning to its result, also when it waits, is over, or is gone", async () => {
  const { daemon, connection, on, sessionId } = await watched();
  daemon.onPrompt(async (prompt) => {
    await prompt.askUser({ questions: [{ index: 0, topic: "", question: "Go on?", options: ["yes"] }] });
    prompt.message(`done ${prompt.text}`);
  });
  const [first] = [await connection.send(sessionId, "one", { messageId: "m-1" })];
  await connection.send(sessionId, "two", { messageId: "m-2" });
  const later = allOf(connection.follow(sessionId, { turnId: "m-2" }));
  const seen: FollowedEvent[] = [];
  for await (const event of connection.follow(sessionId, { turnId: first.messageId })) {
    seen.push(event);
    if (event.type === "request_opened") await connection.answerRequest(event.requestId, { cancelled: true });
  }
  expect(seen.map(({ type }) => type)).toEqual(["user", "request_opened", "assistant", "result"]);
  expect(new Set(seen.map(({ turnId }) => turnId))).toEqual(new Set(["m-1"]));
  const [request] = await untilListed(connection, sessionId);
  await connection.answerRequest(request?.requestId ?? "", { cancelled: true });
  expect((await later).map(({ type, turnId }) => `${type} ${turnId}`)).toEqual(
    ["user", "request_opened", "assistant", "result"].map((type) => `${type} m-2`),
  );
  const again = await allOf(connection.follow(sessionId, { turnId: "m-1" }));
  expect(again.map(word)).toEqual(seen.map(word));
  const part = await allOf(connection.follow(sessionId, { turnId: "m-1", after: seen[1]?.position }));
  expect(part.map(word)).toEqual(seen.slice(2).map(word));
  expect(await allOf(connection.follow(sessionId, { turnId: "never-sent" }))).toEqual([]);
  on.journal.prune();
  const gone = await allOf(connection.follow(sessionId, { turnId: "m-1" }));
  expect(gone.map(({ type }) => type)).toEqual(["gap"]);
  await connection.close();
});

test("a follow of a turn that the daemon has forgotten meanwhile ends behind the gap", async () => {
  const { daemon, connection, on, sessionId } = await watched();
  daemon.onPrompt(hang());
  await connection.send(sessionId, "one", { messageId: "m-1" });
  const follow = connection.follow(sessionId, { turnId: "m-1" });
  expect((await follow.next()).value).toMatchObject({ type: "user", turnId: "m-1" });
  daemon.answer("get_turn_events", () => ({ receipt: { messageId: "m-1", state: "unknown" }, events: [] }));
  for (const title of ["lost", "kept"]) {
    on.journal.prune();
    on.notify({ type: "session_title_updated", title });
  }
  expect((await allOf(follow)).map(({ type }) => type)).toEqual(["gap"]);
  await connection.close();
});

test("an event is the same wherever a turn is joined: the name of a tool, the errors of its result", async () => {
  const { daemon, connection, sessionId } = await watched();
  daemon.onPrompt((prompt) => {
    const id = prompt.toolCall("Execute", { command: "true" });
    prompt.delta("text");
    prompt.toolResult(id, "done");
    prompt.message("finished");
  });
  await turns(connection, sessionId, ["go", "again"]);
  const options = { includePartialMessages: true };
  const timeless = (event: FollowedEvent) =>
    event.type === "result" ? { ...event, durationMs: 0, messages: [] } : event;
  const all = await until(connection.follow(sessionId, { after: START, ...options }), isResult);
  expect(all.some((event) => event.type === "tool_result" && event.toolName === "Execute")).toBe(true);
  for (const [index, { position }] of all.slice(0, -1).entries()) {
    const rest = await until(connection.follow(sessionId, { after: position, ...options }), isResult);
    expect(rest.map(timeless)).toEqual(all.slice(index + 1).map(timeless));
  }
  await connection.close();
});

test("a follow of a handle that waits ends without an error when the handle is closed", async () => {
  const { connection, sessionId } = await watched();
  const session = await connection.resumeSession(sessionId);
  const follow = session.follow();
  await follow.begin;
  const waiting = allOf(follow);
  await session.close();
  // The end of the session is an event that only some receive before.
  expect((await waiting).length).toBeLessThan(2);
  await connection.close();
});

async function untilListed(connection: DaemonConnection, sessionId: string) {
  return vi.waitUntil(async () => {
    const requests = await connection.listRequests({ sessionId });
    return requests.length > 0 && requests;
  });
}
