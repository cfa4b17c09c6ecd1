import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { FaultScenario } from "../scenario.js";
import { startForeground } from "../support/foreground-daemon.js";
import { type Frame, RawClient } from "../support/raw-client.js";

const KEY_A = "fk-the-key-of-a-first-program";
const KEY_B = "fk-the-key-of-another-program";

/** Every method that names a session, with params that are good where the session is reached. */
const SESSION_METHODS: readonly (readonly [string, object])[] = [
  ["load_session", { token: "t" }],
  ["resume_session", { after: { epoch: 1, seq: 1 } }],
  ["follow_session", { credit: { events: 1, bytes: 1 } }],
  ["detach_session", {}],
  ["add_user_message", { text: "x", messageId: randomUUID() }],
  ["interrupt_session", {}],
  ["close_session", {}],
  ["update_session_settings", { modelId: "m" }],
  ["rename_session", { title: "mine" }],
  ["get_session_messages", {}],
  ["get_receipts", { messageIds: [randomUUID()] }],
  ["archive_session", {}],
  ["unarchive_session", {}],
  ["fork_session", { forkTitle: "f" }],
  ["compact_session", {}],
  ["get_context_breakdown", {}],
  ["get_rewind_info", { messageId: "m" }],
  ["list_skills", {}],
  ["list_mcp_servers", {}],
];

/** S7: a session is its maker's. */
export const ownershipScenarios: readonly FaultScenario[] = [
  {
    id: "S7",
    title: "another key's session is not found, and nothing tells it from one that never was",
    isQuick: true,
    async run() {
      await using daemon = await startForeground({ config: { apiKeys: [KEY_A, KEY_B] } });
      using a = await RawClient.connect(daemon.url, KEY_A);
      using b = await RawClient.connect(daemon.url, KEY_B);
      const heard: Frame[] = [];
      b.onFrame = (frame) => heard.push(frame);
      const params = { token: "t", machineId: "m", cwd: daemon.workspace };
      const { result } = await a.call("initialize_session", params);
      const sessionId = String(result?.sessionId);
      const asked = new Promise<string>((resolve) => {
        a.onFrame = ({ method, id }) => method === "daemon.request_permission" && resolve(String(id));
      });
      await a.call("add_user_message", { sessionId, text: "write x.txt: x", messageId: randomUUID() });
      const requestId = await asked;
      for (const [method, rest] of SESSION_METHODS) await isHidden(b, method, rest, sessionId);
      await isHiddenRequest(b, requestId);
      await isListedNowhere(b, sessionId, requestId);
      assert.ok(!heard.some(({ method }) => method !== undefined), "nothing of it is told to the other");
      const still = await a.call("list_opened_sessions", {});
      assert.ok(JSON.stringify(still.result).includes(sessionId), "it is there, and untouched");
      using person = await RawClient.connect(daemon.url, daemon.token);
      assert.ok(JSON.stringify((await person.call("list_opened_sessions", {})).result).includes(sessionId));
      return `${SESSION_METHODS.length} methods, the inbox and the lists: as if it did not exist`;
    },
  },
];

async function isHidden(client: RawClient, method: string, params: object, sessionId: string): Promise<void> {
  const random = randomUUID();
  const real = await client.call(method, { ...params, sessionId });
  const none = await client.call(method, { ...params, sessionId: random });
  assert.equal(real.error?.code, -32004, `${method}: ${JSON.stringify(real)}`);
  const told = (frame: Frame, id: string) => JSON.stringify(frame.error).replaceAll(id, "<id>");
  assert.equal(told(real, sessionId), told(none, random), method);
}

async function isHiddenRequest(client: RawClient, requestId: string): Promise<void> {
  const random = randomUUID();
  const answer = { selectedOption: "proceed_once" };
  const real = await client.call("answer_request", { requestId, result: answer });
  const none = await client.call("answer_request", { requestId: random, result: answer });
  assert.ok(real.error !== undefined);
  const told = (frame: Frame, id: string) => JSON.stringify(frame.error).replaceAll(id, "<id>");
  assert.equal(told(real, requestId), told(none, random), "answer_request");
}

async function isListedNowhere(client: RawClient, sessionId: string, requestId: string): Promise<void> {
  for (const [method, params] of [
    ["list_opened_sessions", {}],
    ["list_available_sessions", {}],
    ["search_sessions", { query: "write" }],
    ["list_requests", {}],
  ] as const) {
    const { result } = await client.call(method, params);
    const text = JSON.stringify(result);
    assert.ok(!text.includes(sessionId) && !text.includes(requestId), `${method} tells of it`);
  }
}
