import { expect, test } from "vitest";
import { FakeDaemon } from "../../../src/index.js";
import { RawClient } from "../../raw-client.js";

const CALLS: readonly (readonly [string, object])[] = [
  ["load_session", { token: "t" }],
  ["resume_session", { after: { epoch: 1, seq: 0 } }],
  ["add_user_message", { text: "x" }],
  ["interrupt_session", {}],
  ["close_session", {}],
  ["get_receipts", { messageIds: [] }],
  ["list_requests", {}],
  ["get_session_messages", {}],
  ["fork_session", {}],
];

test("another key's session is answered like one that does not exist, by every method, and is in no list", async () => {
  const daemon = new FakeDaemon({ credential: "person", keys: ["mine", "theirs"] });
  daemon.whenPrompted().asks({ tool: "Execute" });
  const owner = await RawClient.connect(daemon, "mine");
  const sessionId = await owner.create();
  await owner.call("add_user_message", { sessionId, text: "find me" });
  const asked = await owner.waitFor((frame) => frame.type === "request");

  const stranger = await RawClient.connect(daemon, "theirs");
  for (const [method, params] of CALLS) {
    const { error } = await stranger.call(method, { sessionId, ...params });
    expect([method, error?.code]).toEqual([method, -32_004]);
  }
  // Says no more of it than that the id is not free (docs/protocol.md §3).
  const taken = await stranger.call("initialize_session", { sessionId, token: "t", machineId: "default", cwd: "/" });
  expect(taken.error?.code).toBe(-32_602);
  for (const method of ["list_opened_sessions", "list_available_sessions", "search_sessions", "list_requests"]) {
    const { result } = await stranger.call(method, { query: "find me" });
    expect(JSON.stringify(Object.entries(result ?? {}).filter(([name]) => name !== "query"))).not.toContain(sessionId);
  }
  const answer = { selectedOption: "proceed_once" };
  stranger.respond(asked.id, answer);
  const late = await stranger.call("answer_request", { requestId: asked.id, result: answer });
  expect(late.error?.code).toBe(-32_603);

  const person = await RawClient.connect(daemon, "person");
  expect((await person.call("list_requests")).result?.requests).toMatchObject([{ requestId: asked.id }]);
  expect((await owner.call("answer_request", { requestId: asked.id, result: answer })).result).toEqual({});
});

test("a copy of a session is its key's, and a credential that is none of both is refused", async () => {
  const daemon = new FakeDaemon({ credential: "person", keys: ["mine"] });
  const owner = await RawClient.connect(daemon, "mine");
  const sessionId = await owner.create();
  const person = await RawClient.connect(daemon, "person");
  const { result } = await person.call("fork_session", { sessionId });
  const load = { sessionId: result?.newSessionId, token: "t" };
  expect((await owner.call("load_session", load)).error).toBeUndefined();
  const nobody = await RawClient.connect(daemon, "guessed");
  expect((await nobody.call("list_opened_sessions")).error?.code).toBe(-32_001);
});
