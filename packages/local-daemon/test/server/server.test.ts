import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DaemonError, InvalidOptionError } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { isSameProcess } from "../../src/agents/process-identity.js";
import { EntryFrames } from "../../src/journal/entry-frames.js";
import { notificationOf } from "../../src/journal/journal-frame.js";
import { createDaemon, DEFAULT_CONFIG, MemoryStore, SqliteStore } from "../../src/server.js";
import { storedEntries } from "../journal/stored-entries.js";
import { agentConfig, connectTcp, daemonDesk } from "./daemon-desk.js";

const KEY = "a-configured-key-of-this-test";

test("a session on a real socket writes a real file after it was allowed to, and ends its turn once", async () => {
  await using desk = daemonDesk();
  await desk.start();
  const client = await desk.connect();
  const { sessionId } = await client.result("initialize_session", { token: "local", machineId: "m", cwd: desk.cwd });
  await client.call("add_user_message", { sessionId, text: "write hello.txt: Hello", messageId: "m-1" }, "prompt-1");
  const request = await client.request("request_permission");
  expect(request.params.sessionId).toBe(sessionId);
  expect(existsSync(join(desk.cwd, "hello.txt"))).toBe(false);
  client.respond(String(request.id), { selectedOption: "proceed_once", sessionId });
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
  await client.notified({ newState: "idle" });
  expect(readFileSync(join(desk.cwd, "hello.txt"), "utf8")).toContain("Hello");

  const types = client.types(String(sessionId));
  expect(types.at(-1)).toBe("state idle");
  expect(types.filter((type) => type === "agent_turn_completed")).toHaveLength(1);
  expect(types.filter((type) => type === "permission_resolved")).toHaveLength(1);
  const prompt = client.notifications().find(({ type }) => type === "create_message");
  expect(prompt).toMatchObject({ requestId: "prompt-1", message: { role: "user", id: "m-1" } });
  const positions = client.seen.flatMap(({ _meta }) => (_meta?.seq === undefined ? [] : [_meta.seq]));
  expect(positions).toEqual(positions.map((_, index) => index + 1));
});

test("two sessions on one socket keep their events apart", async () => {
  await using desk = daemonDesk();
  await desk.start();
  const client = await desk.connect();
  const ids = ["first-session", "second-session"];
  for (const id of ids) await client.createSession(id, { cwd: desk.cwd });
  for (const id of ids) {
    await client.call("add_user_message", { sessionId: id, text: `say I am ${id}`, messageId: `m-${id}` });
  }
  for (const id of ids) await client.turnEnd(`m-${id}`);
  for (const id of ids) {
    const said = JSON.stringify(client.notifications(id));
    expect(said).toContain(`I am ${id}`);
    expect(said).not.toContain(`I am ${ids.find((other) => other !== id)}`);
  }
});

test("a restarted daemon knows the conversation, and so does its agent", async () => {
  await using desk = daemonDesk();
  const first = await desk.start();
  const before = await desk.connect();
  await before.createSession("s-1", { cwd: desk.cwd });
  await before.call("add_user_message", { sessionId: "s-1", text: "say the magic word is plugh", messageId: "m-1" });
  await before.turnEnd("m-1");
  await first.close({ drainMs: 0 });

  await desk.start();
  const after = await desk.connect();
  const snapshot = JSON.stringify(await after.loadSession("s-1"));
  expect(snapshot).toContain("plugh");
  await after.call("add_user_message", { sessionId: "s-1", text: "recall", messageId: "m-2" });
  await after.turnEnd("m-2");
  expect(JSON.stringify(after.notifications().filter(({ type }) => type === "create_message"))).toContain("plugh");
});

test("whoever authenticates is told which start of the daemon it talks to", async () => {
  await using desk = daemonDesk();
  const told: unknown[] = [];
  const endpoints: unknown[] = [];
  for (let start = 0; start < 2; start += 1) {
    const daemon = await desk.start();
    const { seen } = await desk.connect();
    told.push(seen.find(({ type }) => type === "response")?.result.instanceId);
    endpoints.push(daemon.endpoint.instanceId);
    await daemon.close();
  }
  expect(told).toEqual(endpoints);
  expect(new Set(told).size).toBe(2);
});

test("TCP takes the token and configured keys, is published, and refuses everything else", async () => {
  await using desk = daemonDesk();
  const { endpoint } = await desk.start({ port: 0, apiKeys: [KEY] });
  const port = endpoint.port ?? 0;
  const token = readFileSync(join(desk.stateDir, "token"), "utf8");
  for (const credential of [{ token }, { apiKey: KEY }, { token: KEY }]) {
    const client = await connectTcp(port, credential);
    expect((await client.call("list_opened_sessions", {})).result).toEqual({ sessions: [] });
    client.close();
  }
  const stranger = await connectTcp(port, { token: `${token}x` });
  expect((await stranger.call("list_opened_sessions", {})).error?.code).toBe(-32001);
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  const body = await health.text();
  expect(JSON.parse(body)).toMatchObject({ status: "ok", instanceId: endpoint.instanceId });
  expect(body).not.toContain(token);
});

test("a second daemon of one state directory is refused and does the first no harm", async () => {
  await using desk = daemonDesk();
  await desk.start();
  await expect(createDaemon({ stateDir: desk.stateDir })).rejects.toSatisfy((error) =>
    DaemonError.is(error, "DAEMON_ALREADY_RUNNING"),
  );
  expect((await (await desk.connect()).call("list_opened_sessions", {})).result).toEqual({ sessions: [] });
});

test("a start that fails holds nothing: the next one succeeds", async () => {
  await using desk = daemonDesk();
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await expect(desk.start({ port })).rejects.toSatisfy((error) => DaemonError.is(error, "DAEMON_START_FAILED"));
  taken.close();
  await desk.start({ port });
});

test("close tells clients with 1001, stops the agents, withdraws what was published, and may be called again", async () => {
  await using desk = daemonDesk();
  const store = new MemoryStore();
  const daemon = await desk.start({ store });
  const client = await desk.connect();
  await client.createSession("s-1", { cwd: desk.cwd });
  const [agent] = await store.agentProcesses();
  expect(await isSameProcess(agent?.pid ?? 0, agent?.startTime ?? "")).toBe(true);
  await client.call("add_user_message", { sessionId: "s-1", text: "count 1000 every 20", messageId: "m-1" });
  await client.notified({ type: "assistant_text_delta" });
  await Promise.all([daemon.close({ drainMs: 0 }), daemon.close()]);
  await daemon.closed;
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "cancelled" });
  await client.closed();
  expect(client.closeCode).toBe(1001);
  expect(await isSameProcess(agent?.pid ?? 0, agent?.startTime ?? "")).toBe(false);
  expect(await store.agentProcesses()).toEqual([]);
  expect(readdirSync(desk.stateDir).filter((name) => /sock|endpoint/.test(name))).toEqual([]);
});

test("a daemon that was closed leaves nothing that holds its process", async () => {
  await using desk = daemonDesk();
  const child = await desk.startProcess();
  const client = await desk.connect();
  await client.createSession("s-1", { cwd: desk.cwd });
  await client.call("add_user_message", { sessionId: "s-1", text: "say Hi", messageId: "m-1" });
  await client.turnEnd("m-1");
  child.kill("SIGTERM");
  // It calls no exit: it ends because nothing is left.
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("after SIGKILL in a turn the next daemon reaps the agent, ends the turn once, and has every event that was seen", async () => {
  await using desk = daemonDesk();
  const child = await desk.startProcess();
  const witness = await desk.connect();
  await witness.createSession("s-1", { cwd: desk.cwd });
  await witness.call("add_user_message", { sessionId: "s-1", text: "count 100000 every 1", messageId: "m-1" });
  await witness.call("add_user_message", { sessionId: "s-1", text: "say second", messageId: "m-2" });
  await witness.when(() => witness.notifications().length > 50);
  child.kill("SIGKILL");
  await witness.closed();

  const store = new SqliteStore({ path: join(desk.stateDir, "daemon.db") });
  await desk.start({ store });
  const client = await desk.connect();
  await client.loadSession("s-1");
  await client.when(() => client.notifications().some(({ turnId }) => turnId === "m-2"));
  const entries = await storedEntries(store, "s-1" as never);
  const frames = new EntryFrames("s-1" as never);
  const stored = new Set(entries.map(({ entry, ...position }) => frames.frameOf(entry, position)));
  const seen = witness.texts.filter((text) => text.includes("daemon.session_notification"));
  expect(seen.every((text) => stored.has(text))).toBe(true);
  const ends = entries
    .filter(({ entry }) => entry.includes('"agent_turn_completed"'))
    .map(({ entry }) => notificationOf(entry));
  expect(ends).toMatchObject([
    { turnId: "m-1", reason: "daemon_restarted" },
    { turnId: "m-2", reason: "completed" },
  ]);
});

test("wrong options are refused before anything is touched, and name themselves without their secrets", async () => {
  const cases: [object, string][] = [
    [{ port: 70_000 }, "port"],
    [{ apiKeys: ["short"] }, "apiKeys"],
    [{ defaultAgent: "nobody" }, "defaultAgent"],
    [{ agents: { x: { command: "a shell line" } } }, "agents.x.command"],
    [{ limits: { drainMs: -1 } }, "limits.drainMs"],
    [{ limits: { drainsMs: 1 } }, "limits.drainsMs"],
  ];
  for (const [config, option] of cases) {
    await using desk = daemonDesk();
    const failed: unknown = await createDaemon({ stateDir: desk.stateDir, ...agentConfig(), ...config }).catch(
      (error) => error,
    );
    expect(failed).toBeInstanceOf(InvalidOptionError);
    expect(failed).toMatchObject({ option });
    expect(String(failed)).not.toContain("short,");
  }
  expect(DEFAULT_CONFIG.defaultAgent).toBe("workspace-agent");
});
