import { LIMITS, messageId, type SessionMessage, sessionId } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { keyIdOf } from "../../src/access/key-id.js";
import { SERVING_LIMITS } from "../../src/limits/index.js";
import type { SessionRow } from "../../src/storage/store.js";
import { Harness, KEYS, type Seen, type TestClient } from "../sessions/harness.js";
import { Valve } from "../sessions/valve.js";

const MIB = 1024 * 1024;

/** A client of a configured key. */
async function ofKey(harness: Harness, apiKey: string = KEYS[0]): Promise<TestClient> {
  const client = harness.dial();
  await client.authenticate({ apiKey });
  return client;
}

/** The socket is as it was: a call on it is answered. */
async function isUntouched(client: TestClient): Promise<void> {
  expect(client.closeCode).toBeUndefined();
  expect(await client.result("ping", {})).toEqual({});
}

function bytesOf(client: TestClient, { id }: Seen): number {
  return Buffer.byteLength(client.texts.find((text) => JSON.parse(text).id === id) ?? "");
}

function message(id: string, text: string): SessionMessage {
  return { id, role: "assistant", content: [{ type: "text", text }], createdAt: 1, updatedAt: 1 };
}

/** A row as an older daemon may have stored it. */
function storedRow(id: string, extra: Partial<SessionRow>): SessionRow {
  return {
    id: sessionId(id),
    owner: undefined,
    agentSessionId: undefined,
    agent: "fake",
    cwd: "/",
    title: undefined,
    settings: { modelId: "", reasoningEffort: "none" },
    tags: [],
    tokenUsage: undefined,
    createdAt: 1,
    updatedAt: 1,
    archivedAt: undefined,
    ...extra,
  };
}

async function withMessages(harness: Harness, id: string, messages: readonly SessionMessage[]): Promise<void> {
  await harness.committer.commit([
    { kind: "session", row: storedRow(id, {}) },
    ...messages.map((one) => ({ kind: "message", sessionId: sessionId(id), message: one }) as const),
  ]);
}

test.each([
  [
    9 * MIB,
    { code: -32_603, data: { code: "MESSAGE_TOO_LARGE" } },
    /daemon\.rename_session has 9\d+ bytes, 2097152 are/,
  ],
  [MIB, { code: -32_602, data: { code: "INVALID_PARAMS" } }, /params\.title: 1048576 .*, 1000 are .*\(titleChars\)$/],
])(
  "a title over its bound is refused by name and number, and nothing of the call is acted on: %i characters",
  async (...given) => {
    const [chars, refusal, message] = given;
    await using harness = await Harness.start();
    const client = await harness.connect();
    await client.createSession("s-1");
    const { error } = await client.call("rename_session", { sessionId: "s-1", title: "t".repeat(chars) });
    expect(error).toMatchObject({ ...refusal, data: { ...refusal.data, retryable: false } });
    expect(error?.message).toMatch(message);
    expect(harness.host.find("s-1")?.row.title).toBeUndefined();
    await client.result("rename_session", { sessionId: "s-1", title: "t".repeat(1_000) });
    await isUntouched(client);
  },
);

test("params that only the agent reads are bounded before their session is looked up", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const server = { sessionId: "nowhere", serverName: "s", name: "s", type: "stdio", settingsLevel: "user" };
  const long = "x".repeat(131_073);
  const cases: readonly (readonly [string, object, RegExp])[] = [
    ["list_skills", { sessionId: "s".repeat(257) }, /params\.sessionId: 257 .* 256 are the limit \(idChars\)$/],
    ["list_files", { sessionId: "s".repeat(257) }, /params\.sessionId: 257 .* 256 are the limit \(idChars\)$/],
    ["get_rewind_info", { messageId: "m".repeat(257) }, /params\.messageId: 257 .* 256 are the limit \(idChars\)$/],
    [
      "remove_mcp_server",
      { serverName: "s".repeat(257) },
      /params\.serverName: 257 .* 256 are the limit \(nameChars\)$/,
    ],
    ["add_mcp_server", { args: [long] }, /params\.args\.0: 131073 .* 131072 are the limit \(argumentChars\)$/],
    [
      "add_mcp_server",
      { headers: { h: long } },
      /params\.headers\.h: 131073 .* 131072 are the limit \(argumentChars\)$/,
    ],
    ["add_mcp_server", { command: "c".repeat(4_097) }, /params\.command: 4097 .* 4096 are the limit \(pathChars\)$/],
  ];
  for (const [method, params, message] of cases) {
    const { error } = await client.call(method, { ...server, ...params });
    expect(error, method).toMatchObject({ code: -32_602, message: expect.stringMatching(message) });
  }
  const { error } = await client.call("remove_mcp_server", { ...server, settingsLevel: "project" });
  expect(error?.code, "a level that only the agent knows").toBe(-32_004);
  await isUntouched(client);
});

test("what describes an image or a file is bounded, and what it holds is not", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const data = "x".repeat(200_000);
  const send = (what: object) => client.call("add_user_message", { sessionId: "nowhere", text: "t", ...what });
  const image = { type: "base64", mediaType: "image/png", data };
  const text = { type: "text", mediaType: "text/plain", data };
  const pdf = { type: "base64", mediaType: "application/pdf", data, parsedData: data };
  expect((await send({ images: [image], files: [text, pdf] })).error?.code).toBe(-32_004);
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ images: [{ ...image, mediaType: data }] }, /images\.0\.mediaType: 200000 .* \(nameChars\)$/],
    [{ files: [{ ...text, name: data }] }, /files\.0\.name: 200000 .* \(pathChars\)$/],
    [{ files: [{ ...text, mime: data }] }, /files\.0\.mime: 200000 .* \(nameChars\)$/],
    [{ files: [{ ...pdf, path: data }] }, /files\.0\.path: 200000 .* \(pathChars\)$/],
  ];
  for (const [what, message] of cases) {
    expect((await send(what)).error).toMatchObject({ code: -32_602, message: expect.stringMatching(message) });
  }
});

test("the id of a request is bounded, because its answer repeats it", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  client.send("ping", {}, "i".repeat(MIB));
  const { error } = await client.until(({ type, id }) => type === "response" && id === null);
  expect(error).toMatchObject({ code: -32_600, message: expect.stringContaining("256 are the limit (idChars)") });
  expect((await client.call("ping", {}, "i".repeat(256))).result).toEqual({});
});

test("rows with huge titles and tags do not make the list of sessions fail", async () => {
  await using harness = await Harness.start();
  const title = "t".repeat(9 * MIB);
  const tags = [{ name: "n".repeat(9 * MIB) }];
  const rows = ["s-1", "s-2", "s-3"].map((id, n) => storedRow(id, { title, tags, updatedAt: n + 1 }));
  await harness.committer.commit(rows.map((row) => ({ kind: "session", row }) as const));
  const client = await harness.connect();
  const { sessions } = await client.result("list_available_sessions", {});
  expect(sessions).toHaveLength(3);
  expect(sessions).toMatchObject([{ sessionId: "s-3", title: "t".repeat(1_000), tags: [] }, {}, {}]);
  await isUntouched(client);
});

test("a title that the agent reports is cut to its bound, and settings that are too long are not kept", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  agent.tell({ type: "session_title_updated", title: "t".repeat(5_000) });
  agent.tell({ type: "settings_updated", settings: { junk: "x".repeat(MIB) } });
  await client.notified({ type: "settings_updated" });
  expect(harness.host.find("s-1")?.row.title).toHaveLength(1_000);
  expect(harness.host.find("s-1")?.row.settings).not.toHaveProperty("junk");
});

test("load_session lists three queued prompts of 8 MiB by their ids, and the socket stays", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "hang", messageId: "m-0" });
  await agent.prompted(1);
  for (const id of ["m-1", "m-2", "m-3"]) {
    await client.result("add_user_message", { sessionId: "s-1", text: "q".repeat(8 * MIB), messageId: id });
  }
  const other = await harness.connect();
  const answer = await other.call("load_session", { sessionId: "s-1", token: "t" });
  expect(bytesOf(other, answer)).toBeLessThan(2 * MIB);
  expect(answer.result.queuedMessages).toMatchObject(["m-1", "m-2", "m-3"].map((id) => ({ messageId: id })));
  expect(JSON.stringify(answer.result.queuedMessages)).toMatch(/A message of 8388\d+ bytes waits\./);
  await isUntouched(other);
});

test("history comes in pages by bytes, each of at least one message, and past one that no answer holds", async () => {
  await using harness = await Harness.start();
  const texts = [100, 17 * MIB, 600 * 1024, 400 * 1024, 200 * 1024].map((length) => "x".repeat(length));
  await withMessages(
    harness,
    "s-1",
    texts.map((text, n) => message(`m-${n}`, text)),
  );
  const client = await harness.connect();
  const pages: SessionMessage[][] = [];
  let cursor: unknown;
  do {
    const params = { sessionId: "s-1", limit: 100, ...(cursor === undefined ? {} : { cursor }) };
    const answer = await client.call("get_session_messages", params);
    expect(bytesOf(client, answer)).toBeLessThanOrEqual(SERVING_LIMITS.pageBytes + 200 * 1024);
    expect(answer.result.hasMore).toBe(answer.result.nextCursor !== undefined);
    pages.push(answer.result.messages as SessionMessage[]);
    cursor = answer.result.nextCursor;
  } while (cursor !== undefined);
  expect(pages.map((page) => page.map(({ id }) => id))).toEqual([["m-4"], ["m-3"], ["m-2"], ["m-1"], ["m-0"]]);
  expect(pages[3]?.[0]).toMatchObject({ id: "m-1", role: "assistant" });
  expect(JSON.stringify(pages[3])).toMatch(
    /This message has 1782\d{4} bytes; an answer holds 16515072 of one message\./,
  );
  const loaded = await client.loadSession("s-1");
  expect((loaded.session as { messages: SessionMessage[] }).messages.map(({ id }) => id)).toEqual([
    "m-2",
    "m-3",
    "m-4",
  ]);
  await isUntouched(client);
});

test("an agent's answer that is too large for a message fails that one call", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  agent.onCall = () => ({ skills: ["s".repeat(LIMITS.sessionFrameBytes)] });
  const { error } = await client.call("list_skills", { sessionId: "s-1" });
  expect(error).toMatchObject({ code: -32_603, data: { code: "MESSAGE_TOO_LARGE", retryable: false } });
  expect(error?.message).toMatch(/^The answer to daemon\.list_skills has 1677\d{4} bytes, a message holds 16777216\./);
  await isUntouched(client);
});

test("receipts hold the first text however long it is, and no more than a page of others", async () => {
  await using harness = await Harness.start();
  const id = sessionId("s-1");
  const lengths = [3 * MIB, 10, 20];
  await withMessages(
    harness,
    id,
    lengths.map((length, n) => message(`a-${n}`, "x".repeat(length))),
  );
  const turn = { sessionId: id, state: "completed", promptBytes: 2, requestId: "r", reason: "completed" } as const;
  await harness.committer.commit(
    lengths.map((_length, n) => ({
      kind: "turn",
      row: { ...turn, id: messageId(`m-${n}`), ordinal: n + 1, createdAt: 1, endedAt: 2, answerId: `a-${n}` },
    })),
  );
  const client = await harness.connect();
  const textsOf = async (messageIds: string[]) => {
    const { receipts } = await client.result("get_receipts", { sessionId: id, messageIds });
    return (receipts as { text?: string }[]).map(({ text }) => text?.length);
  };
  expect(await textsOf(["m-0", "m-1", "m-2"])).toEqual([3 * MIB, undefined, undefined]);
  expect(await textsOf(["m-1", "m-2", "m-0"])).toEqual([10, 20, undefined]);
});

test("what a key has open does not push the person's own sessions out of the list of open ones", async () => {
  await using harness = await Harness.start();
  const key = await ofKey(harness);
  const metadata = { m: "x".repeat(15_000) };
  for (let n = 0; n < 100; n++) {
    await key.result("initialize_session", {
      token: "t",
      machineId: "m",
      cwd: "/",
      tags: [{ name: "n", metadata }],
    });
  }
  const person = await harness.connect();
  await person.createSession("s-own");
  const answer = await person.call("list_opened_sessions", {});
  const sessions = answer.result.sessions as { sessionId: string }[];
  expect(sessions[0]?.sessionId).toBe("s-own");
  expect(sessions.length).toBeLessThan(101);
  expect(answer.result.isIncomplete).toBe(true);
  await isUntouched(person);
});

test("a key has its bound of open sessions, and the person another one", async () => {
  await using harness = await Harness.start({ limits: { openSessionsPerKey: 2 } });
  const key = await ofKey(harness);
  const start = { token: "t", machineId: "m", cwd: "/" };
  const made = [await key.result("initialize_session", start), await key.result("initialize_session", start)];
  const agents = harness.spawner.agents.length;
  const { error } = await key.call("initialize_session", start);
  expect(error?.message).toMatch(/^2 sessions of this key are open already \(openSessionsPerKey\)/);
  expect(harness.spawner.agents).toHaveLength(agents);
  await (await ofKey(harness, KEYS[1])).result("initialize_session", start);
  await (await harness.connect()).result("initialize_session", start);
  await key.result("close_session", { sessionId: made[0]?.sessionId });
  await key.result("initialize_session", start);
});

test("a key has its bound of tickets, and the person makes some all the same", async () => {
  await using harness = await Harness.start();
  const key = await ofKey(harness);
  for (let n = 0; n < SERVING_LIMITS.ticketsPerKey; n++) await key.result("create_ticket", {});
  const { error } = await key.call("create_ticket", {});
  expect(error).toMatchObject({ data: { code: "QUEUE_FULL", retryable: true } });
  expect(error?.message).toMatch(/^100 tickets of yours wait to be used already \(ticketsPerKey\)/);
  await (await ofKey(harness, KEYS[1])).result("create_ticket", {});
  await (await harness.connect()).result("create_ticket", {});
});

test("a key has its bound of connections; one that ends makes room, and others connect all the same", async () => {
  await using harness = await Harness.start();
  const clients = [];
  for (let n = 0; n < SERVING_LIMITS.connectionsPerKey; n++) clients.push(await ofKey(harness));
  const late = harness.dial();
  const { error } = await late.authenticate({ apiKey: KEYS[0] });
  expect(error).toMatchObject({ data: { code: "QUEUE_FULL" }, message: expect.stringContaining("256 connections") });
  await harness.connect();
  clients[0]?.close();
  await clients[0]?.closed();
  expect((await late.authenticate({ apiKey: KEYS[0] })).error).toBeUndefined();
  expect(keyIdOf(KEYS[0])).not.toBe(keyIdOf(KEYS[1]));
});

test("a hundred pipelined reads of a client that does not read make one answer, and all of them once it reads", async () => {
  await using harness = await Harness.start();
  await withMessages(
    harness,
    "s-1",
    [1, 2, 3].map((n) => message(`m-${n}`, "x".repeat(MIB))),
  );
  let wire: Valve | undefined;
  const client = harness.dial((transport) => {
    wire = new Valve(transport);
    return wire;
  });
  await client.authenticate({ proof: "good" });
  wire?.stopReading();
  const ids = Array.from({ length: 100 }, () => client.send("get_session_messages", { sessionId: "s-1", limit: 100 }));
  const person = await harness.connect();
  for (let n = 0; n < 10; n++) await person.result("ping", {});
  expect(wire?.bufferedBytes).toBeLessThan(2 * MIB);
  wire?.readOn();
  const answered = () => client.seen.filter(({ type, id }) => type === "response" && ids.includes(String(id)));
  await client.when(() => answered().length === 100);
  expect(answered().map(({ id }) => id)).toEqual(ids);
  expect(answered().every(({ error }) => error === undefined)).toBe(true);
  await isUntouched(client);
});
