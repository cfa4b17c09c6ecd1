import { LIMITS, newId } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { FakeSpawner } from "../sessions/fake-agent.js";
import { connectTcp, type DaemonDesk, daemonDesk } from "./daemon-desk.js";

const MIB = 2 ** 20;
const KEY = "a-configured-key-of-this-test";

async function open(desk: DaemonDesk) {
  const spawner = new FakeSpawner();
  const daemon = await desk.start({ port: 0, apiKeys: [KEY], spawner });
  const port = daemon.endpoint.port ?? 0;
  const client = await connectTcp(port, { apiKey: KEY });
  const sessionId = newId();
  await client.createSession(sessionId, { cwd: desk.cwd });
  const send = (text: string, messageId: string, more: object = {}) =>
    client.call("add_user_message", { sessionId, text, messageId, ...more });
  return { spawner, daemon, port, client, sessionId, send };
}

test("a large prompt reaches its agent whole, after a restart as well", async () => {
  await using desk = daemonDesk();
  const first = await open(desk);
  const text = `first line\n${'é "quoted" \u{1f600} \\ '.repeat(MIB / 8)}`;
  const images = [{ type: "base64", mediaType: "image/png", data: "A".repeat(MIB) }];
  await first.send("hang", "m-0");
  const agent = await first.spawner.agentOf(first.sessionId);
  await agent.prompted(1);
  expect((await first.send(text, "m-1", { images, unknown: { deep: [1] } })).error).toBeUndefined();
  expect((await first.send(text, "m-2")).error).toBeUndefined();
  agent.end();
  await agent.prompted(2);
  const { sessionId } = first;
  expect(agent.prompts[1]).toMatchObject({ text, images, unknown: { deep: [1] }, sessionId, messageId: "m-1" });
  await first.daemon.close({ drainMs: 0 });

  const spawner = new FakeSpawner();
  await desk.start({ spawner });
  const restarted = await spawner.agentOf(sessionId);
  await restarted.prompted(1);
  expect(restarted.prompts[0]).toMatchObject({ text, messageId: "m-2" });
});

test("a large prompt is accepted once: the same again is answered with its receipt, another under its id is refused", async () => {
  await using desk = daemonDesk();
  const { send, client, sessionId } = await open(desk);
  await send("hang", "m-0");
  const text = "x".repeat(MIB);
  expect((await send(text, "m-1")).error).toBeUndefined();
  expect((await send(text, "m-1")).result).toMatchObject({ receipt: { messageId: "m-1", state: "accepted" } });
  expect((await send(`${text}y`, "m-1")).error).toMatchObject({ code: -32_602 });
  expect((await send("short", "m-1")).error).toMatchObject({ code: -32_602 });
  // Dropped as well, with the beginning of its text.
  await client.result("interrupt_session", { sessionId });
  const discarded = await client.notified({ type: "queued_messages_discarded" });
  expect(String(discarded.text)).toMatch(/^x{4000,5000}\n\[\d+ bytes more\]$/);
});

test("a call that is larger than its method takes is refused by its id, with the bound", async () => {
  await using desk = daemonDesk();
  const { client, sessionId, send } = await open(desk);
  const answer = await client.call("rename_session", { sessionId, title: "t".repeat(9 * MIB) }, "rename-1");
  expect(answer).toMatchObject({ id: "rename-1", error: { data: { code: "MESSAGE_TOO_LARGE", retryable: false } } });
  expect(answer.error?.message).toMatch(
    /^daemon\.rename_session has 943\d{4} bytes, 2097152 are the limit \(callBytes\)\.$/,
  );
  const list = Array.from({ length: 700_000 }, (_, index) => `file-${index}`);
  expect((await send("list", "m-1", { list })).error?.message).toMatch(/8388608 bytes beside its long texts/);
  const documents = await client.call("answer_request", {
    requestId: "none",
    result: { comment: "c".repeat(9 * MIB) },
  });
  expect(documents.error?.message).toMatch(/8388608 are the limit \(documentCallBytes\)/);
  const edited = { selectedOption: "proceed_once", editedSpecContent: "c".repeat(MIB / 2) };
  const late = await client.call("answer_request", { requestId: "none", result: edited });
  expect(late.error).toMatchObject({ data: { code: "REQUEST_NOT_PENDING" } });
  expect((await client.call("ping", {})).error).toBeUndefined();
});

test("what is no JSON is refused, however large", async () => {
  await using desk = daemonDesk();
  const { client } = await open(desk);
  const head = `{"jsonrpc":"2.0","factoryApiVersion":"1.0.0","type":"request","id":"r-1","method":"daemon.add_user_message","params":`;
  const bad = ["\u0001", "\\q", "\\u12g4"].map(
    (text) => `${head}{"sessionId":"s","text":"${"x".repeat(MIB)}${text}"}}`,
  );
  for (const text of [...bad, `${head}{"text":"${"x".repeat(MIB)}"`, "z".repeat(MIB)]) {
    const before = client.seen.length;
    client.sendText(text);
    await expect.poll(() => client.seen.length).toBeGreaterThan(before);
    expect(client.seen.at(-1)).toMatchObject({ type: "response", error: { code: -32_700 } });
  }
  expect((await client.call("ping", {})).error).toBeUndefined();
});

test("a large call without params, and within its bound, is answered as any other", async () => {
  await using desk = daemonDesk();
  const { client } = await open(desk);
  const before = client.seen.length;
  const envelope = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request", id: "r-1", method: "daemon.ping" };
  client.sendText(JSON.stringify({ ...envelope, unknown: "x".repeat(MIB) }));
  await expect.poll(() => client.seen.length).toBeGreaterThan(before);
  expect(JSON.stringify(client.seen.at(-1))).not.toContain("are the limit");
});

test("a large credential is compared with none, and the refusal names the bound", async () => {
  await using desk = daemonDesk();
  const { port } = await open(desk);
  const { dialWebSocket } = await import("@daemon-sdk/transport-ws");
  const stranger = await dialWebSocket(`ws://127.0.0.1:${port}`);
  const heard = new Promise<string>((resolve) => {
    stranger.onMessage = resolve;
  });
  const envelope = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request", method: "daemon.authenticate" };
  stranger.send(JSON.stringify({ ...envelope, id: "r", params: { caller: "test", token: "x".repeat(MIB) } }));
  const { error } = JSON.parse(await heard);
  expect(error.code).toBe(-32_602);
  expect(error.message).toMatch(/ 262144 are the limit \(largeMessageBytes\)/);
  stranger.close();
});

test("nothing large is taken of a client that has not authenticated", async () => {
  await using desk = daemonDesk();
  const { port } = await open(desk);
  const { dialWebSocket } = await import("@daemon-sdk/transport-ws");
  const stranger = await dialWebSocket(`ws://127.0.0.1:${port}`);
  const heard = new Promise<string>((resolve) => {
    stranger.onMessage = resolve;
  });
  const params = { sessionId: "s", text: "x".repeat(LIMITS.largeMessageBytes + 1) };
  const envelope = {
    jsonrpc: "2.0",
    factoryApiVersion: "1.0.0",
    type: "request",
    id: "r",
    method: "daemon.add_user_message",
  };
  stranger.send(JSON.stringify({ ...envelope, params }));
  expect(JSON.parse(await heard)).toMatchObject({ id: "r", error: { code: -32_001 } });
  stranger.close();
});
