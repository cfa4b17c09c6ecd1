import type { FakePrompt } from "@daemon-sdk/testing";
import { describe, expect, test } from "vitest";
import { connectDaemon, type DroidStreamEvent } from "../../src/index.js";
import { collect, connected, hang } from "../support.js";

const MESSAGE = "11111111-1111-4111-8111-111111111111";

/** A daemon with everything of ours, whose agent says `text` in many pieces. */
async function told(pieces = 100) {
  const { daemon, connection } = await connected({ plain: false });
  daemon.onPrompt((prompt: FakePrompt) => {
    for (let n = 1; n <= pieces; n += 1) prompt.delta(`${n} `);
    prompt.message();
  });
  const session = await connection.createSession();
  const again = () => collect(session.stream("count", { messageId: MESSAGE, includePartialMessages: true }));
  return { daemon, connection, session, again };
}

/** What two streams of one turn have in common: all but how long it took. */
function comparable(events: readonly DroidStreamEvent[]): unknown[] {
  return events.map((event) => (event.type === "result" ? { ...event, durationMs: 0 } : event));
}

describe("a message whose turn is over", () => {
  test("gives its events and its result again, and the agent gets it once", async () => {
    const { daemon, connection, again } = await told();
    const first = await again();
    expect(comparable(await again())).toEqual(comparable(first));
    expect(comparable(await again())).toEqual(comparable(first));
    expect(
      daemon.sessions
        .values()
        .next()
        .value?.messages.filter(({ role }) => role === "user"),
    ).toHaveLength(1);
    await connection.close();
  });

  test("gives its messages behind a gap, and the result, when the journal no longer has it", async () => {
    const { daemon, connection, session, again } = await told(3);
    const first = await again();
    await collect(session.stream("other"));
    daemon.sessions.get(session.sessionId)?.journal.prune();
    const events = await again();
    const kinds = events.map(({ type }) => type);
    expect(kinds).toEqual(["gap", "user", "assistant", "result"]);
    expect(events.at(-1)).toMatchObject({ subtype: "success", text: "1 2 3 ", reason: "completed" });
    // Messages of the conversation have no positions.
    const messages = first.filter(({ type }) => type === "user" || type === "assistant");
    expect(events.slice(1, 3)).toEqual(messages.map(({ position: _position, ...event }) => event));
    await connection.close();
  });

  test("tells how it failed", async () => {
    const { daemon, connection, again } = await told();
    daemon.onPrompt((prompt) => prompt.end("agent_exited", { message: "killed", exitCode: 137 }));
    const first = await again();
    expect(comparable(await again())).toEqual(comparable(first));
    expect(first.at(-1)).toMatchObject({ subtype: "error_during_execution", reason: "agent_exited" });
    await connection.close();
  });

  test("leaves the session free for other prompts, while another turn runs, too", async () => {
    const { daemon, connection, session, again } = await told();
    const first = await again();
    daemon.onPrompt(hang());
    const { messageId } = await session.send("endless");
    expect(comparable(await again())).toEqual(comparable(first));
    expect(session.activity).toBe("waiting-model");
    await session.send("count", { messageId: MESSAGE });
    daemon.sessions.get(session.sessionId)?.endTurn("completed");
    expect(await session.waitForReceipt(messageId)).toMatchObject({ state: "completed" });
    expect(session.activity).toBe("idle");
    await connection.close();
  });

  test("is the answer of a second run()", async () => {
    const { connection } = await told(3);
    const options = { sessionId: MESSAGE, messageId: MESSAGE };
    const first = await connection.run("count", options);
    expect(await connection.run("count", options)).toEqual({ ...first, durationMs: expect.any(Number) });
    await connection.close();
  });
});

describe("a message whose turn runs", () => {
  test("is followed to its end, with what came before, from another process", async () => {
    const { daemon, connection, session } = await told();
    let prompt: FakePrompt | undefined;
    daemon.onPrompt(async (given) => {
      prompt = given;
      for (let n = 1; n <= 50; n += 1) given.delta(`${n} `);
      await new Promise((resolve) => given.signal.addEventListener("abort", resolve, { once: true }));
    });
    const options = { messageId: MESSAGE, includePartialMessages: true };
    const whole = collect(session.stream("count", options));
    await expect.poll(() => prompt).toBeDefined();
    const other = await connectDaemon({ transport: daemon.dial, apiKey: "fk-test" });
    const joined = collect((await other.resumeSession(session.sessionId)).stream("count", options));
    await daemon.waitForRequest("get_turn_events");
    for (let n = 51; n <= 100; n += 1) prompt?.delta(`${n} `);
    prompt?.message();
    prompt?.end("completed");
    expect(comparable(await joined)).toEqual(comparable(await whole));
    await connection.close();
    await other.close();
  });

  test("waits for its turn behind another one, and gives only its own", async () => {
    const { daemon, connection, session, again } = await told(3);
    daemon.onPrompt((given) => (given.text === "count" ? void given.message("mine") : hang("not mine")(given)));
    await session.send("endless");
    await session.send("count", { messageId: MESSAGE });
    const events = again();
    await daemon.waitForRequest("add_user_message", 3);
    daemon.sessions.get(session.sessionId)?.endTurn("completed");
    const own = await events;
    expect(own.at(-1)).toMatchObject({ type: "result", text: "mine" });
    expect(JSON.stringify(own)).not.toContain("not mine");
    await connection.close();
  });
});

test("another body under a used id is refused, and nothing hangs", async () => {
  const { connection, session, again } = await told(3);
  await again();
  const stream = session.stream("something else", { messageId: MESSAGE });
  await expect(collect(stream)).rejects.toMatchObject({ code: "INVALID_PARAMS" });
  await connection.close();
});

test("a reader that stops takes one page of the history, and not the rest", async () => {
  const { daemon, connection, session, again } = await told(200);
  await again();
  const before = daemon.received.filter(({ method }) => method === "get_turn_events").length;
  const stream = session.stream("count", { messageId: MESSAGE, includePartialMessages: true });
  for (let n = 0; n < 5; n += 1) await stream.next();
  await session.getMessages();
  expect(daemon.received.filter(({ method }) => method === "get_turn_events")).toHaveLength(before + 1);
  await stream.return();
  await connection.close();
});
