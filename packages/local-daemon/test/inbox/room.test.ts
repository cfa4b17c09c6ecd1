import { expect, test } from "vitest";
import { InboxRoom } from "../../src/inbox/inbox-room.js";
import { INBOX_LIMITS } from "../../src/limits/index.js";
import { Harness, KEYS } from "../sessions/harness.js";
import { PERMISSION } from "./permission.js";

const { session: SESSION } = INBOX_LIMITS;

async function running(harness: Harness, id: string) {
  const client = await harness.connect();
  await client.createSession(id);
  const agent = await harness.spawner.agentOf(id);
  await client.call("add_user_message", { sessionId: id, text: "Hi", messageId: `m-${id}` });
  await agent.prompted(1);
  return { client, agent };
}

test("an agent may ask so many things at a time; the rest is refused to it at once, and one notice states that", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, "s-1");
  for (let n = 0; n < SESSION.requests + 1_000; n++) agent.ask("request_permission", PERMISSION, `a-${n}`);
  expect(agent.refusals).toHaveLength(1_000);
  expect(agent.refusals[0]).toBe(
    "256 requests of this session wait for an answer already, 256 are the limit. Nobody was asked.",
  );
  const notice = await client.notified({ type: "session_notice", code: "QUEUE_FULL" });
  expect(notice.message).toBe(agent.refusals[0]);
  const loaded = await client.loadSession("s-1");
  expect(loaded.pendingPermissions).toHaveLength(SESSION.requests);
  expect((await client.result("list_requests", {})).requests).toHaveLength(SESSION.requests);
  expect(client.notifications().filter(({ type }) => type === "session_notice")).toHaveLength(1);

  const other = await running(harness, "s-2");
  other.agent.ask("request_permission", PERMISSION);
  await other.client.request("request_permission");
  const [first] = loaded.pendingPermissions as { requestId: string }[];
  client.respond(first?.requestId ?? "", { selectedOption: "proceed_once" });
  await client.notified({ type: "permission_resolved" });
  agent.ask("request_permission", PERMISSION, "later");
  expect(agent.refusals).toHaveLength(1_000);
});

test("requests that wait are bounded in bytes, so that one answer lists all of a session", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, "s-1");
  const large = { ...PERMISSION, note: "x".repeat(5_000_000) };
  for (let n = 0; n < 4; n++) agent.ask("request_permission", large, `a-${n}`);
  expect(agent.refusals).toHaveLength(3);
  expect(agent.refusals[0]).toMatch(
    /^Requests of this session .* hold 5000\d+ bytes; 5000\d+ more exceed the limit of 8388608\./,
  );
  expect((await client.loadSession("s-1")).pendingPermissions).toHaveLength(1);
  expect((await client.result("list_requests", {})).requests).toHaveLength(1);
});

test("a request that is too large by itself is refused for its size, and a notice states the size", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, "s-1");
  for (const [n, bytes] of [SESSION.bytes, 2 * SESSION.bytes].entries()) {
    agent.ask("request_permission", { ...PERMISSION, note: "x".repeat(bytes) }, `a-${n}`);
    expect(agent.refusals[n]).toMatch(/^request_permission has \d+ bytes, and a request may have 8323072\./);
  }
  await client.notified({ type: "session_notice", code: "MESSAGE_TOO_LARGE" });
  expect(client.notifications().filter(({ code }) => code === "QUEUE_FULL")).toEqual([]);
});

test("the sessions of one principal have a bound together, and another principal is not affected", () => {
  const room = new InboxRoom();
  const use = (n: number, owner: string | undefined) => ({
    sessionId: `s-${n}` as never,
    owner,
    bytes: 4 * 1024 * 1024,
  });
  for (let n = 0; n < 4; n++) room.take(use(n, KEYS[0]));
  expect(room.refusalOf(use(4, KEYS[0]))).toMatch(
    /^Requests of the sessions of this credential .* limit of 16777216\.$/,
  );
  expect(room.refusalOf(use(5, undefined))).toBeUndefined();
  room.release(use(0, KEYS[0]));
  expect(room.refusalOf(use(4, KEYS[0]))).toBeUndefined();
});
