import { LIMITS, missingMark, type SessionNotification } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { JOURNAL_LIMITS } from "../../src/limits/index.js";
import { Harness } from "../sessions/harness.js";

const FRAME = LIMITS.sessionFrameBytes;
const notices = (all: readonly SessionNotification[]) => all.filter(({ type }) => type === "session_notice");

/** A session whose turn `m-1` runs. */
async function runningTurn() {
  const harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.result("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  agent.started();
  return { harness, client, agent, [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose]() };
}

describe("an entry that is larger than a message of the wire", () => {
  test("is stored and delivered with its text cut, in the journal as in the conversation, and reported by number", async () => {
    await using running = await runningTurn();
    const { client, agent } = running;
    const size = FRAME - 20;
    agent.delta("x".repeat(size));
    agent.message("a-1", "assistant", "x".repeat(size));
    agent.end();
    expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
    const cut = "x".repeat(JOURNAL_LIMITS.cutTextBytes) + missingMark(size - JOURNAL_LIMITS.cutTextBytes);
    const [delta] = client.notifications().filter(({ type }) => type === "assistant_text_delta");
    expect(delta?.textDelta).toBe(cut);
    const { messages } = await client.result("get_session_messages", { sessionId: "s-1" });
    expect(messages).toMatchObject([{ id: "a-1", content: [{ type: "text", text: cut }] }]);
    expect(notices(client.notifications())).toEqual([
      {
        type: "session_notice",
        code: "MESSAGE_TOO_LARGE",
        message: expect.stringMatching(/"fake" sent assistant_text_delta of 167\d{5} bytes.*16711680.*were left out/),
        timestamp: expect.any(Number),
      },
    ]);
    expect(Math.max(...client.texts.map((text) => Buffer.byteLength(text)))).toBeLessThan(FRAME);
  });

  test("is not stored where it cannot be cut, and the turn without an answer is no success", async () => {
    await using running = await runningTurn();
    const { client, agent } = running;
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "A".repeat(FRAME) } };
    const message = { id: "a-1", role: "assistant", content: [image], createdAt: 1, updatedAt: 1 };
    agent.tell({ type: "create_message", message });
    agent.end();
    expect(await client.turnEnd("m-1")).toMatchObject({
      reason: "error",
      code: "MESSAGE_TOO_LARGE",
      message: expect.stringMatching(/create_message of 16\d{6} bytes.*It was not stored/),
    });
    expect(await client.result("get_session_messages", { sessionId: "s-1" })).toMatchObject({ messages: [] });
    const { receipts } = await client.result("get_receipts", { sessionId: "s-1", messageIds: ["m-1"] });
    expect(receipts).toMatchObject([{ state: "failed" }]);
  });

  test("leaves a turn with an answer a success, and the next turn untouched", async () => {
    await using running = await runningTurn();
    const { client, agent } = running;
    agent.tell({ type: "tool_result", toolUseId: "t", messageId: "a-0", content: [{ data: "A".repeat(FRAME) }] });
    agent.message("a-1", "assistant", "the tool has run");
    agent.end();
    expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
    await client.result("add_user_message", { sessionId: "s-1", text: "Again", messageId: "m-2" });
    await agent.prompted(2);
    agent.end();
    expect(await client.turnEnd("m-2")).toMatchObject({ reason: "completed" });
    expect(notices(client.notifications())).toHaveLength(1);
  });

  test("of a request is refused to the agent, and nobody is asked", async () => {
    await using running = await runningTurn();
    const { client, agent } = running;
    const toolUses = [{ toolUse: { id: "t", name: "Create", input: { content: "x".repeat(FRAME / 2 - 32 * 1024) } } }];
    agent.ask("request_permission", { toolUses, options: [] });
    expect(agent.refusals).toEqual([expect.stringMatching(/request_permission has 83\d{5} bytes.*8323072.*Nobody/)]);
    agent.end();
    expect(await client.turnEnd("m-1")).toMatchObject({ reason: "error", code: "MESSAGE_TOO_LARGE" });
    expect(client.seen.filter(({ type }) => type === "request")).toEqual([]);
    expect(await client.result("list_requests", {})).toEqual({ requests: [] });
  });

  test("never takes the end of a turn with it", async () => {
    await using running = await runningTurn();
    const { client, agent } = running;
    agent.end("r".repeat(FRAME), { report: { data: "A".repeat(FRAME) } });
    const end = await client.turnEnd("m-1");
    expect(end).toEqual({ type: "agent_turn_completed", turnId: "m-1", reason: "r".repeat(200) });
  });

  test("is one notice, however many there are in a turn", async () => {
    await using running = await runningTurn();
    const { client, agent } = running;
    for (let i = 0; i < 5; i++) agent.delta("x".repeat(FRAME));
    agent.message("a-1", "assistant", "done");
    agent.end();
    await client.turnEnd("m-1");
    expect(notices(client.notifications())).toHaveLength(1);
    expect(client.notifications().filter(({ type }) => type === "assistant_text_delta")).toHaveLength(5);
  });

  test("is not made larger by what the agent adds beside it", async () => {
    await using running = await runningTurn();
    const { client, agent } = running;
    agent.tell(
      { type: "assistant_text_delta", messageId: "a", blockIndex: 0, textDelta: "x" },
      {
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        tracestate: "x".repeat(FRAME),
      },
    );
    await client.notified({ type: "assistant_text_delta" });
    const [frame] = client.seen.filter(({ params }) => params?.notification?.type === "assistant_text_delta");
    expect(frame?._meta).toMatchObject({ traceparent: expect.stringMatching(/^00-0af/) });
    expect(frame?._meta).not.toHaveProperty("tracestate");
  });
});
