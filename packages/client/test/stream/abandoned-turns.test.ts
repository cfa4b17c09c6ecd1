import type { SessionNotification } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { connected, hang, OUR_CAPABILITIES, resultOf } from "../support.js";

test("on a plain daemon the next prompt waits until the abandoned turn has ended", async () => {
  const { daemon, connection } = await connected();
  let endTurn: () => void = () => {};
  daemon.onPrompt(
    (prompt) =>
      new Promise((resolve) => {
        endTurn = resolve;
        prompt.signal.addEventListener("abort", () => resolve());
      }),
  );
  // An agent that acknowledges the interrupt at once, and stops later.
  daemon.answer("interrupt_session", () => ({}));
  const session = await connection.createSession();
  for await (const _event of session.stream("first")) break;
  await daemon.waitForRequest("interrupt_session");
  daemon.onPrompt((prompt) => void prompt.message("second"));
  const result = resultOf(session.stream("second"));
  await session.getMessages();
  expect(daemon.received.filter(({ method }) => method === "add_user_message")).toHaveLength(1);
  endTurn();
  expect((await result).text).toBe("second");
});

test("the idle that follows the end of an abandoned turn is not the next stream's first event", async () => {
  const { daemon, connection } = await connected({ plain: false });
  const session = await connection.createSession();
  daemon.onPrompt(hang());
  // An agent that acknowledges the interrupt at once, and stops later.
  daemon.answer("interrupt_session", () => ({}));
  for await (const event of session.stream("first", { includePartialMessages: true }))
    if (event.type === "assistant_text_delta") break;
  await daemon.waitForRequest("interrupt_session");
  const next = session.stream("second", { includePartialMessages: true });
  const first = next.next();
  await daemon.waitForRequest("add_user_message", 2);
  await session.getMessages();
  daemon.onPrompt((prompt) => void prompt.message("second"));
  daemon.sessions.get(session.sessionId)?.endTurn("cancelled");
  expect((await first).value).toMatchObject({ type: "working_state_changed", state: "streaming_assistant_message" });
  await connection.close();
});

test("a stream that waits for a left turn can be left itself, and then sends nothing", async () => {
  const { daemon, connection } = await connected();
  daemon.onPrompt(hang());
  daemon.answer("interrupt_session", () => ({}));
  const session = await connection.createSession();
  for await (const _event of session.stream("first")) break;
  const second = session.stream("second");
  const next = second.next();
  await second.return();
  expect((await next).done).toBe(true);
  daemon.sessions.get(session.sessionId)?.interrupt();
  await session.getMessages();
  expect(daemon.received.filter(({ method }) => method === "add_user_message")).toHaveLength(1);
});

describe("an agent that never shows the prompt again", () => {
  /** Answers each prompt by hand: no user message, and the idle only when it is asked for. */
  async function silent() {
    const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
    const turns: string[] = [];
    daemon.answer("add_user_message", ({ params }) => {
      turns.push(params.messageId as string);
      return {};
    });
    const session = await connection.createSession();
    const notify = (notification: SessionNotification) => daemon.sessions.get(session.sessionId)?.notify(notification);
    const play = async (turnId: string, text: string) => {
      notify({ type: "droid_working_state_changed", newState: "thinking" });
      notify({ type: "assistant_text_delta", messageId: turnId, blockIndex: 0, textDelta: text });
      notify({ type: "agent_turn_completed", reason: "completed", turnId });
      await session.getMessages();
    };
    return { daemon, session, turns, play };
  }

  test("has turns that follow each other, though the idle between them comes late", async () => {
    const { daemon, session, play } = await silent();
    for (const text of ["one", "two"]) {
      const result = resultOf(session.stream(text, { messageId: text }));
      await daemon.waitForRequest("add_user_message", text === "one" ? 1 : 2);
      await play(text, text);
      expect((await result).text).toBe(text);
    }
  });

  test("has queued turns that are told apart by the ends before them", async () => {
    const { daemon, session, play } = await silent();
    await session.send("one", { messageId: "one" });
    await session.send("two", { messageId: "two" });
    const result = resultOf(session.stream("three", { messageId: "three" }));
    await daemon.waitForRequest("add_user_message", 3);
    for (const text of ["one", "two", "three"]) await play(text, text);
    expect((await result).text).toBe("three");
  });
});
