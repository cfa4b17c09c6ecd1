import { expect, test, vi } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { Harness, KEYS, type TestClient } from "../sessions/harness.js";

const [KEY_A, KEY_B] = KEYS;
/** A key's client chooses UUIDs. */
const S_A = "5a000000-0000-4000-8000-00000000000a";

/** Every method that names a session, with params that its schema passes. */
const NAMING: readonly [method: string, params: object][] = [
  ["load_session", { token: "t" }],
  ["resume_session", { after: { epoch: 1, seq: 0 } }],
  ["follow_session", { credit: { events: 1, bytes: 1 } }],
  ["detach_session", {}],
  ["close_session", {}],
  ["interrupt_session", {}],
  ["add_user_message", { text: "Hi", messageId: "m-9" }],
  ["get_receipts", { messageIds: ["m-1"] }],
  ["list_requests", {}],
  ["update_session_settings", { modelId: "m" }],
  ["rename_session", { title: "Mine" }],
  ["get_session_messages", {}],
  ["archive_session", {}],
  ["unarchive_session", {}],
  ["fork_session", {}],
  ["compact_session", {}],
  ["execute_rewind", { messageId: "m-1", filesToRestore: [], filesToDelete: [], forkTitle: "Mine" }],
  ["get_rewind_info", { messageId: "m-1" }],
  ["get_context_breakdown", {}],
  ["list_skills", {}],
  ["list_mcp_servers", {}],
  ["list_mcp_tools", {}],
  ["toggle_mcp_server", { serverName: "x", enabled: true, settingsLevel: "user" }],
];

/** A session of key A in mid-turn, with a request pending, one of the person's, and clients of everybody. */
async function neighbours(harness: Harness) {
  const [person, a, b] = [await harness.connect(), harness.dial(), harness.dial()];
  await a.authenticate({ apiKey: KEY_A });
  await b.authenticate({ apiKey: KEY_B });
  await a.createSession(S_A);
  await person.createSession("s-p");
  const agent = await harness.spawner.agentOf(S_A);
  await a.call("add_user_message", { sessionId: S_A, text: "needle", messageId: "m-1" });
  await agent.prompted(1);
  agent.message("m-1", "user", "needle");
  agent.ask("ask_user", { toolCallId: "t-1", questions: [{ index: 1, question: "?", topic: "t", options: [] }] });
  const request = await a.request("ask_user");
  return { person, a, b, agent, requestId: String(request.id) };
}

async function ids(client: TestClient, method: string): Promise<string[]> {
  const { sessions } = (await client.result(method, { query: "needle" })) as { sessions: { sessionId: string }[] };
  return sessions.map(({ sessionId }) => sessionId).sort((one, other) => one.localeCompare(other));
}

test("another key's session, open or stored, is answered like one that does not exist, by every method (S7)", async () => {
  const store = new MemoryStore();
  const harness = await Harness.start({ store });
  const open = await neighbours(harness);
  await expectUnknown(open.b, S_A);
  await expectUnknown(open.b, "s-p");
  await harness.host.drain(0);
  await harness.host.stop();

  await using restarted = await Harness.start({ store });
  const b = restarted.dial();
  await b.authenticate({ apiKey: KEY_B });
  await expectUnknown(b, S_A);
  expect(restarted.host.open).toEqual([]);
});

async function expectUnknown(client: TestClient, id: string): Promise<void> {
  for (const [method, params] of NAMING) {
    const [foreign, unknown] = [
      await client.call(method, { ...params, sessionId: id }),
      await client.call(method, { ...params, sessionId: "s-nobody" }),
    ];
    const told = JSON.stringify(foreign.error ?? foreign.result).replaceAll(id, "s-nobody");
    expect(told, method).toBe(JSON.stringify(unknown.error ?? unknown.result));
    if (method !== "list_requests") expect(foreign.error?.code, method).toBe(-32004);
  }
}

test("an id that somebody could guess, and one that somebody else has, are refused alike, so that nothing is found out (S7)", async () => {
  await using harness = await Harness.start();
  const { a, b } = await neighbours(harness);
  const make = (client: TestClient, sessionId: string) =>
    client.call("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId });
  // A UUID that is made of a name, or of a time and an address, can be guessed, too.
  const guessable = ["s-p", "s-nobody", S_A.replace("-4000-", "-5000-"), S_A.replace("-4000-", "-1000-")];
  const refusals = await Promise.all([...guessable, S_A].map((id) => make(b, id)));
  expect(refusals[0]?.error).toMatchObject({ code: -32602, data: { code: "INVALID_PARAMS" } });
  expect(refusals.map(({ error }) => error)).toEqual(refusals.map(() => refusals[0]?.error));
  expect((await make(a, S_A)).result).toMatchObject({ sessionId: S_A });
  for (const free of [S_A.replace(/.$/, "b"), S_A.replace("-4000-", "-7000-")]) {
    expect((await make(b, free)).error).toBeUndefined();
  }
});

test("what is about all sessions leaves out those of another key, and holds all of them for the person (S7)", async () => {
  await using harness = await Harness.start();
  const { person, a, b } = await neighbours(harness);
  for (const method of ["list_opened_sessions", "list_available_sessions"]) {
    expect(await ids(a, method), method).toEqual([S_A]);
    expect(await ids(b, method), method).toEqual([]);
    expect(await ids(person, method), method).toEqual([S_A, "s-p"]);
  }
  expect(await ids(a, "search_sessions")).toEqual([S_A]);
  expect(await ids(b, "search_sessions")).toEqual([]);
  expect(await ids(person, "search_sessions")).toEqual([S_A]);
});

test("a page of sessions holds as many of one key's as it may, however many others lie between", async () => {
  let now = 1_000;
  await using harness = await Harness.start({ now: () => ++now });
  const [person, a] = [await harness.connect(), harness.dial()];
  await a.authenticate({ apiKey: KEY_A });
  for (let n = 0; n < 5; n++) {
    await a.createSession(S_A.replace(/.$/, String(n)));
    await person.createSession(`s-p-${n}`);
  }
  const first = await a.result("list_available_sessions", { limit: 3 });
  expect(first).toMatchObject({ sessions: { length: 3 }, hasMore: true });
  const rest = await a.result("list_available_sessions", { limit: 3, endBefore: first.nextCursor });
  expect(rest).toMatchObject({ sessions: { length: 2 }, hasMore: false });
});

test("another key's pending request cannot be answered: such an answer is late, and the right one still wins (S7)", async () => {
  await using harness = await Harness.start();
  const { a, b, agent, requestId } = await neighbours(harness);
  const answering = vi.spyOn(harness.inbox, "answer");
  b.respond(requestId, { cancelled: false, answers: [{ index: 1, question: "?", answer: "stolen" }] });
  await b.call("list_opened_sessions", {});
  expect(harness.inbox.lateAnswers).toBe(1);
  a.respond(requestId, { cancelled: false, answers: [{ index: 1, question: "?", answer: "mine" }] });
  await a.notified({ type: "ask_user_resolved" });
  expect(agent.answers).toMatchObject([{ answers: [{ answer: "mine" }] }]);
  expect(answering.mock.results.map(({ value }) => value)).toEqual(["foreign", "won"]);
});

test("a ticket reaches what its maker reaches, and no more (S7)", async () => {
  await using harness = await Harness.start();
  const { person, a, b } = await neighbours(harness);
  for (const [maker, reached] of [
    [person, [S_A, "s-p"]],
    [a, [S_A]],
    [b, []],
  ] as const) {
    const { ticket } = await maker.result("create_ticket", {});
    const page = harness.dial();
    await page.authenticate({ ticket });
    expect(await ids(page, "list_opened_sessions")).toEqual(reached);
    const onwards = harness.dial();
    await onwards.authenticate({ ticket: (await page.result("create_ticket", {})).ticket });
    expect(await ids(onwards, "list_opened_sessions")).toEqual(reached);
  }
});

test("the person's work on a key's session leaves it the key's, and a fork belongs to whoever made it", async () => {
  await using harness = await Harness.start();
  const { person, a, agent } = await neighbours(harness);
  agent.onCall = (method) => (method === "fork_session" ? { newSessionId: "s-fork" } : {});
  await person.result("fork_session", { sessionId: S_A });
  await person.result("rename_session", { sessionId: S_A, title: "Theirs" });
  expect(await ids(a, "list_available_sessions")).toEqual([S_A]);
  expect(await ids(person, "list_available_sessions")).toEqual([S_A, "s-fork", "s-p"]);
});
