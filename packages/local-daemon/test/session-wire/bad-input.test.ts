import { expect, test } from "vitest";
import { Harness, TOKEN } from "../sessions/harness.js";

const ENVELOPE = { jsonrpc: "2.0", factoryApiVersion: "1.0.0" };

test("before authentication every other method is -32001 with its own id, and answers are not taken", async () => {
  await using harness = await Harness.start();
  const client = harness.dial();
  for (const method of ["load_session", "list_opened_sessions", "no_such_method", "logout"]) {
    const { error } = await client.call(method, {}, `before-${method}`);
    expect(error).toMatchObject({ code: -32001, message: expect.stringContaining("not authenticated") });
  }
  client.respond("any", { selectedOption: "proceed_once" });
  expect((await client.authenticate()).result).toMatchObject({ userId: "local", orgId: "local" });
  expect(harness.inbox.lateAnswers).toBe(0);
});

test("the token, a configured key in either field, and a proof are accepted; capabilities name the default agent first", async () => {
  await using harness = await Harness.start();
  const good = [
    { token: TOKEN },
    { apiKey: TOKEN },
    { apiKey: "a-configured-key-0" },
    { token: "a-configured-key-0" },
    { token: "wrong", apiKey: TOKEN },
    { proof: "good" },
  ];
  for (const credential of good) {
    const { result } = await harness.dial().authenticate(credential);
    expect(result).toMatchObject({
      userId: "local",
      orgId: "local",
      capabilities: {
        turns: true,
        inbox: true,
        directInterrupt: true,
        detach: true,
        positions: true,
        tickets: true,
        agents: ["fake", "other"],
      },
    });
  }
});

test("refused credentials get identical answers, and the third closes the connection with 4401 after it was answered", async () => {
  await using harness = await Harness.start();
  const client = harness.dial();
  const wrong = [{ token: "" }, { apiKey: `${TOKEN}x` }, { proof: "forged" }];
  const errors = [];
  for (const credential of wrong) errors.push((await client.authenticate(credential)).error);
  expect(errors).toEqual([errors[0], errors[0], errors[0]]);
  expect(errors[0]?.code).toBe(-32001);
  expect(JSON.stringify(errors)).not.toContain(TOKEN);
  await client.closed();
  expect(client.closeCode).toBe(4401);
});

test("params of authenticate that name no credential or no caller are -32602 and count as refused", async () => {
  await using harness = await Harness.start();
  const client = harness.dial();
  const answers = [
    await client.call("authenticate", { caller: "x" }),
    await client.call("authenticate", { token: TOKEN }),
    await client.call("authenticate", { token: 5, caller: "x" }),
  ];
  expect(answers.map(({ error }) => error?.code)).toEqual([-32602, -32602, -32602]);
  await client.closed();
  expect(client.closeCode).toBe(4401);
});

test("a connection that does not authenticate in time is closed with 4401; one that did stays", async () => {
  await using harness = await Harness.start({ connection: { handshakeMs: 20 } });
  const [silent, quick] = [harness.dial(), harness.dial()];
  await quick.authenticate();
  await silent.closed();
  expect(silent.closeCode).toBe(4401);
  expect((await quick.call("list_opened_sessions", {})).result).toEqual({ sessions: [] });
});

test("bad frames are answered by their kind with the id they have, counted, and the connection is kept", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const bad: [string, number, string | null][] = [
    ["{ not json", -32700, null],
    ["\0", -32700, null],
    ["[]", -32700, null],
    ["{}", -32700, null],
    [JSON.stringify({ ...ENVELOPE, type: "request", id: "no-method", params: {} }), -32700, "no-method"],
    [JSON.stringify({ jsonrpc: "2.0", id: "plain", method: "daemon.logout" }), -32700, "plain"],
    [JSON.stringify({ ...ENVELOPE, type: "request", id: 7, method: "daemon.logout", params: {} }), -32600, null],
    [`{"id":"deep","a":${"[".repeat(100)}${"]".repeat(100)}}`, -32700, "deep"],
    ['{"id":"evil","__proto__":{"polluted":true}}', -32600, "evil"],
  ];
  for (const [text, code, id] of bad) {
    const before = client.seen.length;
    client.sendText(text);
    await client.when(() => client.seen.length > before);
    expect([client.seen[before]?.error?.code, client.seen[before]?.id], text).toEqual([code, id]);
  }
  expect(Reflect.get({}, "polluted")).toBeUndefined();
  const before = client.seen.length;
  client.sendText(JSON.stringify({ ...ENVELOPE, type: "response", id: 7, result: {} }));
  client.sendText(JSON.stringify({ ...ENVELOPE, type: "notification", method: "daemon.x", params: {} }));
  await client.call("list_opened_sessions", {});
  expect(client.seen).toHaveLength(before + 1);
  expect(harness.dialects[0]?.counters).toEqual({
    badFrames: bad.length + 1,
    strayNotifications: 1,
    unknownMethods: 0,
  });
});

test("unknown methods, other prefixes and methods of the other direction are -32601 with the request's id", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  for (const method of ["no_such_method", "__proto__", "constructor", "request_permission"]) {
    const { error, id } = await client.call(method, { sessionId: "s-1" }, `id ${method}`);
    expect([error?.code, id]).toEqual([-32601, `id ${method}`]);
  }
  client.sendText(
    JSON.stringify({ ...ENVELOPE, type: "request", id: "d", method: "droid.list_opened_sessions", params: {} }),
  );
  expect((await client.until(({ id }) => id === "d")).error?.code).toBe(-32601);
  const { error } = await client.call("list_crons", {});
  expect(error).toMatchObject({ code: -32601, message: expect.stringContaining("list_crons") });
});

test("every session method answers -32004 for an unknown session, with its id in the data", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const params = { sessionId: "nowhere", token: "t", text: "x", title: "x", messageId: "m", query: "x" };
  const more = {
    forkTitle: "f",
    filesToRestore: [],
    filesToDelete: [],
    serverName: "s",
    enabled: true,
    settingsLevel: "user",
  };
  const methods = [
    "load_session",
    "close_session",
    "detach_session",
    "interrupt_session",
    "add_user_message",
    "update_session_settings",
    "rename_session",
    "fork_session",
    "compact_session",
    "get_context_breakdown",
    "get_rewind_info",
    "execute_rewind",
    "list_skills",
    "list_mcp_servers",
    "get_session_messages",
    "archive_session",
    "unarchive_session",
    "list_files",
  ];
  for (const method of methods) {
    const { error } = await client.call(method, { ...params, ...more });
    expect(error, method).toMatchObject({ code: -32004, data: { sessionId: "nowhere", code: "SESSION_NOT_FOUND" } });
  }
});

test("params that a schema refuses are -32602, name the field, and never repeat its value", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const { error } = await client.call("initialize_session", { token: "secret-value", machineId: "m", cwd: 7 });
  expect(error?.code).toBe(-32602);
  expect(error?.message).toContain("cwd");
  expect(error?.message).not.toContain("secret-value");
  const tooMany = await client.call("get_session_messages", { sessionId: "s-1", limit: 500 });
  expect(tooMany.error?.code).toBe(-32602);
});

test("an id or directory that cannot be used, and an unknown agent, are -32602 and start nothing", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const base = { token: "t", machineId: "m", cwd: "/" };
  for (const bad of [
    { sessionId: "../../etc/passwd" },
    { sessionId: "a\0b" },
    { sessionId: ".hidden" },
    { cwd: "/no/such/directory" },
    { agent: "nobody" },
  ]) {
    expect((await client.call("initialize_session", { ...base, ...bad })).error?.code).toBe(-32602);
  }
  expect(harness.spawner.agents).toEqual([]);
});

test("a search past a bound is refused with the bound, and the connection is kept", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  for (const [params, message] of [
    [{ query: "w ".repeat(33) }, "query: 33 words are too many for a search, which takes 32."],
    [
      { query: "w", contextChars: 1e9 },
      "contextChars: 1000000000 characters are too many for a search, which takes 400.",
    ],
  ] as const) {
    const { error } = await client.call("search_sessions", params);
    expect(error).toMatchObject({ code: -32602, message, data: { code: "INVALID_PARAMS" } });
  }
  expect(await client.result("search_sessions", { query: "w" })).toEqual({ query: "w", sessions: [] });
});

test("an error that is not ours tells nothing of the inside, and the connection is kept", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  harness.host.services.search.search = () => Promise.reject(new TypeError("a secret path"));
  const { error } = await client.call("search_sessions", { query: "x" });
  expect(error).toEqual({ code: -32603, message: "Internal error", data: { code: "INTERNAL" } });
  expect((await client.call("list_opened_sessions", {})).error).toBeUndefined();
});

test("logout is acknowledged, wants no params, and ends the connection politely", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  expect((await client.call("logout", { extra: 1 })).error?.code).toBe(-32602);
  expect((await client.call("logout", {})).result).toEqual({ accepted: true });
  await client.closed();
  expect(client.closeCode).toBe(1000);
});

test("what was asked before a logout is answered before the close; what is asked behind it is refused", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const order: unknown[] = [];
  const ids = [
    client.send("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId: "s-1" }),
    client.send("logout", {}),
    client.send("list_opened_sessions", {}),
  ];
  await client.closed();
  for (const { type, id } of client.seen) if (type === "response" && ids.includes(String(id))) order.push(id);
  expect(order).toEqual([ids[2], ids[0], ids[1]]);
});

test("what is overlong is refused without being sent back, in the text and beside it (B3)", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const cwd = `/${"x".repeat(4_000)}`;
  const { error } = await client.call("initialize_session", { token: "t", machineId: "m", cwd });
  expect(error?.code).toBe(-32_602);
  expect(error?.message).toMatch(/^cwd must be a directory that exists; .*xxx…xxx.* is none\.$/);
  expect(JSON.stringify(error).length).toBeLessThan(1_000);
  const { error: unbounded } = await client.call("load_session", { sessionId: "x".repeat(100_000), token: "t" });
  expect(unbounded?.code).toBe(-32_602);
  expect(unbounded?.message).toMatch(
    / params\.sessionId: 100000 characters are too many, 256 are the limit \(idChars\)$/,
  );
  expect(JSON.stringify(unbounded).length).toBeLessThan(1_000);
});
