import { CloseCode } from "@daemon-sdk/protocol";
import { rpcFault } from "@daemon-sdk/testing";
import { describe, expect, test } from "vitest";
import { NO_ANSWER } from "../../src/index.js";
import { collect, rejection, resultOf } from "../support.js";
import { cameBack, linked, types, untilAborted } from "./support.js";

describe("a connection whose link is lost", () => {
  test("is made again: statuses tell the attempt, its delay and why, then that it is connected", async () => {
    const link = await linked();
    link.daemon.cut();
    await cameBack(link);
    expect(link.statuses).toMatchObject([
      { type: "connected" },
      { type: "reconnecting", attempt: 1, error: { code: "CONNECTION_LOST" } },
      { type: "connected" },
    ]);
    const { delayMs } = link.statuses[1] as { delayMs: number };
    expect(delayMs).toBeGreaterThanOrEqual(8);
    expect(delayMs).toBeLessThanOrEqual(12);
    expect(link.daemon.dials).toBe(2);
    await link.connection.close();
    expect(link.clock.pendingTimers).toBe(0);
  });

  test("goes on with a running stream in the same loop: each event once, in order, then the result", async () => {
    const link = await linked();
    let next: (() => void) | undefined;
    link.daemon.onPrompt(async (prompt) => {
      for (const word of ["one ", "two ", "three ", "four"]) {
        prompt.delta(word);
        await new Promise<void>((resolve) => {
          next = resolve;
        });
      }
      prompt.message();
    });
    const session = await link.connection.createSession();
    const deltas: string[] = [];
    const reading = (async () => {
      for await (const event of session.stream("count", { includePartialMessages: true })) {
        if (event.type === "assistant_text_delta") deltas.push(event.text);
        if (event.type === "result") return event;
      }
    })();
    await link.clock.settle();
    for (let round = 1; round <= 4; round += 1) {
      link.daemon.cut();
      next?.();
      await cameBack(link, round);
      await link.clock.settle();
    }
    expect(await reading).toMatchObject({ subtype: "success", text: "one two three four" });
    expect(deltas).toEqual(["one ", "two ", "three ", "four"]);
    expect(link.daemon.received.filter(({ method }) => method === "load_session")).toEqual([]);
  });

  test("drops an entry that is sent twice, and tells a hole as a gap (F5)", async () => {
    const link = await linked({ without: ["credit"] });
    link.daemon.onPrompt(async (prompt) => {
      prompt.delta("once ");
      await link.clock.settle();
      link.daemon.faults.repeatLastFrame();
      prompt.delta("more");
      await untilAborted(prompt);
    });
    const session = await link.connection.createSession();
    const events = collect(session.stream("hi", { includePartialMessages: true }));
    await link.clock.settle();
    await link.clock.settle();
    const notification = { type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta: " later" };
    const params = { sessionId: session.sessionId, notification };
    const head = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "notification", _meta: { epoch: 9, seq: 99 } };
    link.daemon.sendRaw(JSON.stringify({ ...head, method: "daemon.session_notification", params }));
    await link.clock.settle();
    await session.close();
    const seen = (await events).filter(({ type }) => type === "assistant_text_delta" || type === "gap");
    expect(seen).toMatchObject([
      { text: "once " },
      { text: "more" },
      { type: "gap", reason: "missing", to: { epoch: 9, seq: 99 } },
      { text: " later" },
    ]);
  });

  test("lets new calls wait for the next link, within their own time and signal", async () => {
    const link = await linked();
    link.daemon.stop();
    await link.clock.settle();
    const listing = link.connection.listOpenedSessions();
    const controller = new AbortController();
    const aborted = rejection(link.connection.createSession({ signal: controller.signal }));
    controller.abort(new RangeError("changed my mind"));
    expect(await aborted).toBeInstanceOf(RangeError);
    link.daemon.start();
    await cameBack(link);
    expect(await listing).toEqual([]);
    expect(link.daemon.received.filter(({ method }) => method === "initialize_session")).toEqual([]);

    link.daemon.stop();
    await link.clock.settle();
    const late = rejection(link.connection.listOpenedSessions());
    await link.clock.advance(30_000);
    expect(await late).toMatchObject({
      code: "REQUEST_TIMEOUT",
      message: expect.stringContaining("list_opened_sessions"),
    });
    await link.connection.close();
    expect(link.clock.pendingTimers).toBe(0);
  });

  test("makes a call in flight again with the same id and params where the daemon acts on it once, and no other", async () => {
    const link = await linked();
    const session = await link.connection.createSession();
    link.daemon.faults.stall();
    const renaming = session.rename("new");
    const sending = session.send("hi", { messageId: "8a5f8d0e-50d5-4f5e-a9ce-0f2a3c1b7d11" });
    const forking = rejection(session.fork());
    await link.clock.settle();
    link.daemon.cut();
    await link.clock.settle();
    expect(await forking).toMatchObject({ code: "CONNECTION_LOST" });
    link.daemon.faults.heal();
    await cameBack(link);
    await Promise.all([renaming, sending]);
    expect(link.daemon.sessions.get(session.sessionId)?.title).toBe("new");
    expect(types(link.daemon.received.map(({ method }) => ({ type: method })))).not.toContain("fork_session");
  });

  test("repeats an answered-but-unheard prompt under its own ids, and the daemon acts once", async () => {
    const link = await linked();
    const session = await link.connection.createSession();
    let calls = 0;
    link.daemon.answer("add_user_message", (call) => {
      const fake = link.daemon.sessions.get(session.sessionId);
      fake?.submit(call.id, call.link, call.params as never);
      fake?.startNext();
      calls += 1;
      // Acted on, and the answer is lost with the link.
      if (calls === 1) link.daemon.cut();
      return {};
    });
    const result = resultOf(session.stream("hi"));
    await link.clock.settle();
    await cameBack(link);
    expect(await result).toMatchObject({ text: "You said: hi" });
    const sent = link.daemon.received.filter(({ method }) => method === "add_user_message");
    expect(sent.length).toBe(2);
    expect(new Set(sent.map(({ id, params }) => JSON.stringify([id, params]))).size).toBe(1);
  });

  test("chooses the id of a new session, so that the call can be repeated and makes one session", async () => {
    const link = await linked();
    link.daemon.faults.stall();
    const creating = link.connection.createSession();
    await link.clock.settle();
    link.daemon.cut();
    link.daemon.faults.heal();
    await cameBack(link);
    const session = await creating;
    expect(link.daemon.received.at(-1)?.params.sessionId).toBe(session.sessionId);
    expect(link.daemon.sessions.size).toBe(1);
  });

  test("resumes a hundred sessions at once, before any call goes out", async () => {
    const link = await linked();
    await Promise.all(Array.from({ length: 100 }, () => link.connection.createSession()));
    link.daemon.cut();
    await link.clock.settle();
    const listing = link.connection.listOpenedSessions();
    await cameBack(link);
    await listing;
    const methods = link.daemon.received.filter(({ link: number }) => number === 2).map(({ method }) => method);
    expect(methods).toEqual(["authenticate", ...Array(100).fill("resume_session"), "list_opened_sessions"]);
  });

  test("ends the stream of a session that is gone with SESSION_NOT_FOUND, and no other", async () => {
    const link = await linked();
    link.daemon.onPrompt((prompt) => untilAborted(prompt));
    const [gone, stays] = [await link.connection.createSession(), await link.connection.createSession()];
    const lost = rejection(collect(gone.stream("a")));
    const kept = collect(stays.stream("b"));
    await link.daemon.waitForRequest("add_user_message", 2);
    (link.daemon.sessions as Map<string, unknown>).delete(gone.sessionId);
    link.daemon.cut();
    await cameBack(link);
    expect(await lost).toMatchObject({ code: "SESSION_NOT_FOUND", sessionId: gone.sessionId });
    expect(await rejection(gone.send("more"))).toMatchObject({ code: "SESSION_NOT_FOUND" });
    await stays.close();
    expect(types(await kept)).not.toContain("result");
  });

  test("tells one gap with the snapshot where the daemon no longer has what was missed, and goes on", async () => {
    const link = await linked();
    let finish: () => void = () => {};
    link.daemon.onPrompt(async (prompt) => {
      prompt.delta("lost ");
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      prompt.delta("kept");
      prompt.message("done");
    });
    const session = await link.connection.createSession();
    const stream = session.stream("hi", { includePartialMessages: true });
    const events = collect(stream);
    await link.clock.settle();
    const fake = link.daemon.sessions.get(session.sessionId);
    link.daemon.stop();
    fake?.notify({ type: "session_title_updated", title: "never seen" });
    fake?.journal.prune();
    link.daemon.start();
    await cameBack(link);
    finish();
    const seen = await events;
    const gaps = seen.filter(({ type }) => type === "gap");
    expect(gaps).toMatchObject([{ reason: "too-old", snapshot: { cwd: "." }, from: {}, to: {} }]);
    expect(seen.at(-1)).toMatchObject({ type: "result", text: "done" });
    expect(types(seen)).toContain("assistant_text_delta");
  });

  test("ends a stream whose turn ended within the gap by what the daemon noted, with the messages it still has", async () => {
    const link = await linked();
    link.daemon.onPrompt(async (prompt) => {
      await untilAborted(prompt, link.daemon.stop.bind(link.daemon));
      prompt.message("the answer");
    });
    const session = await link.connection.createSession();
    const events = collect(session.stream("hi"));
    await link.clock.settle();
    await link.clock.settle();
    link.daemon.sessions.get(session.sessionId)?.journal.prune();
    link.daemon.start();
    await cameBack(link);
    const seen = await events;
    expect(types(seen)).toEqual(["user", "gap", "assistant", "result"]);
    expect(seen.at(-1)).toMatchObject({ text: "the answer", reason: "completed", success: true });
  });

  test("goes on with a prompt that waited behind another turn, and whose own turn began within the gap", async () => {
    const link = await linked();
    const steps: (() => void)[] = [];
    const step = () => new Promise<void>((resolve) => steps.push(resolve));
    link.daemon.onPrompt(async (prompt) => {
      if (prompt.text === "first") return step();
      prompt.delta("lost ");
      await step();
      prompt.delta("kept");
      prompt.message("mine");
    });
    const session = await link.connection.createSession();
    await session.send("first");
    const events = collect(session.stream("second", { includePartialMessages: true }));
    await link.daemon.waitForPrompt("second");
    await link.clock.settle();
    link.daemon.stop();
    steps.shift()?.();
    await link.clock.settle();
    link.daemon.sessions.get(session.sessionId)?.journal.prune();
    link.daemon.start();
    await cameBack(link);
    steps.shift()?.();
    const seen = await events;
    expect(seen.filter(({ type }) => type === "user")).toMatchObject([{ message: { role: "user" } }]);
    expect(seen.flatMap((event) => (event.type === "assistant_text_delta" ? [event.text] : []))).toEqual(["kept"]);
    expect(seen.at(-1)).toMatchObject({ type: "result", text: "mine" });
  });

  test("gives up when the budget is used up, and says how long it tried and why", async () => {
    const link = await linked({}, { reconnect: { maxElapsedMs: 1_000 } });
    const waiting = rejection(link.connection.createSession());
    await waiting.constructor;
    link.daemon.stop();
    await link.clock.settle();
    const late = rejection(link.connection.listOpenedSessions());
    await link.clock.advance(1_000);
    const error = await link.connection.closed;
    expect(error).toMatchObject({ code: "CONNECTION_LOST", cause: { code: "CONNECTION_FAILED" } });
    expect(error?.message).toContain("1000 ms");
    expect(link.statuses.at(-1)).toEqual({ type: "disconnected", error });
    expect(await late).toBe(error);
    expect(await rejection(link.connection.createSession())).toBe(error);
    expect(link.clock.pendingTimers).toBe(0);
  });

  test("gives up after so many attempts", async () => {
    const link = await linked({}, { reconnect: { maxAttempts: 3 } });
    link.daemon.stop();
    await link.clock.advance(10_000);
    expect(await link.connection.closed).toMatchObject({ message: expect.stringContaining("3 attempts") });
    expect(link.daemon.dials).toBe(4);
    expect(link.clock.pendingTimers).toBe(0);
  });

  test("ends at once when the credential is refused", async () => {
    const link = await linked();
    link.daemon.answer("authenticate", () => {
      throw rpcFault(-32_001, "No");
    });
    link.daemon.cut();
    await link.clock.advance(20);
    expect(await link.connection.closed).toMatchObject({ code: "AUTH_REJECTED" });
    expect(link.daemon.dials).toBe(2);
    expect(link.clock.pendingTimers).toBe(0);
  });

  test("does not repeat a call that may have been too large for the daemon", async () => {
    const link = await linked();
    const session = await link.connection.createSession();
    link.daemon.faults.stall();
    const sending = rejection(session.send("hi"));
    await link.clock.settle();
    link.daemon.faults.heal();
    link.daemon.answer("add_user_message", () => NO_ANSWER);
    link.daemon.closeConnections(CloseCode.tooLarge);
    await link.clock.settle();
    expect(await sending).toMatchObject({ code: "CONNECTION_LOST" });
  });
});
