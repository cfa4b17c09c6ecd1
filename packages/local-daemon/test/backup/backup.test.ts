import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { messageId, type SessionId, sessionId } from "@daemon-sdk/protocol";
import { DatabaseSync } from "@photostructure/sqlite";
import { describe, expect, test } from "vitest";
import { exportAll, exportSession, importSessions, restoreAll } from "../../src/backup/index.js";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import type { Store } from "../../src/storage/store.js";
import { tempHome } from "../rendezvous/temp-home.js";
import { databasePath } from "../storage/database-path.js";
import { message, request, segment, sessionRow, turn } from "../storage/store-contract.js";
import { storeContents } from "./store-contents.js";

const S = sessionId("s-1");

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** A session with something of every kind; `frames` are those of its journal. */
async function fill(store: Store, id: SessionId): Promise<void> {
  await store.commit([
    {
      kind: "session",
      row: sessionRow(id, {
        mcpServers: [{ name: "m", type: "stdio", command: "x", env: { KEY: "secret" } }] as never,
      }),
    },
    { kind: "message", sessionId: id, message: message("m-1", "héllo\n\0") },
    { kind: "message", sessionId: id, message: message("m-2", "there", { role: "assistant" }) },
    { kind: "promptPart", sessionId: id, id: messageId("t-2"), part: 0, bytes: Buffer.from([0, 1, 2, 255]) },
    { kind: "promptPart", sessionId: id, id: messageId("t-2"), part: 1, bytes: Buffer.from([3]) },
    {
      kind: "turn",
      row: turn(id, "t-1", 1, { state: "completed", endedAt: 9, firstSeq: 1, lastSeq: 3 }),
      prompt: '{"text":"hi"}',
    },
    { kind: "turn", row: turn(id, "t-2", 2, { promptDigest: "d" }), prompt: '{"text":"waits"}' },
    { kind: "request", row: request(id, `r-${id}-1`, { outcome: "{}", resolvedAt: 3 }) },
    { kind: "request", row: request(id, `r-${id}-2`) },
    { kind: "segment", row: segment(id, 1, ["{}", '{"a":1}']) },
    { kind: "segment", row: segment(id, 3, ['{"b":2}'], { epoch: 8, createdAt: 4 }) },
    { kind: "agentProcess", row: { pid: process.pid, startTime: "1", sessionId: id, instanceId: "i" } },
  ]);
}

/** A state directory with a store, an agent's conversation, and a configuration. */
async function filledState(state: string): Promise<void> {
  mkdirSync(join(state, "agents", "workspace-agent"), { recursive: true, mode: 0o700 });
  chmodSync(state, 0o700);
  writeFileSync(join(state, "agents", "workspace-agent", "s-1.json"), '{"id":"s-1"}');
  writeFileSync(join(state, "config.json"), "{}", { mode: 0o600 });
  writeFileSync(join(state, "token"), "secret", { mode: 0o600 });
  const store = new SqliteStore({ path: join(state, "daemon.db") });
  await store.open();
  for (const id of ["s-1", "s-2", "odd '\"\n"]) await fill(store, sessionId(id));
  await store.close();
}

describe("a backup", () => {
  test("and its restore lose no row of the store and no file of an agent, and hold nothing of the daemon that ran", async () => {
    using from = tempHome();
    using to = tempHome();
    await filledState(from.state);
    const backup = join(dirname(to.state), "backup");
    const manifest = await exportAll({ stateDir: from.state, to: backup, now: () => 0 });
    expect(manifest).toMatchObject({ format: 1, createdAt: "1970-01-01T00:00:00.000Z", sessions: 3 });
    expect(statSync(backup).mode & 0o777).toBe(0o700);
    expect(statSync(join(backup, "daemon.db")).mode & 0o777).toBe(0o600);
    expect(existsSync(join(backup, "token"))).toBe(false);
    expect(await restoreAll({ from: backup, stateDir: to.state })).toEqual(manifest);
    expect(storeContents(join(to.state, "daemon.db"))).toEqual(storeContents(join(from.state, "daemon.db")));
    expect(readFileSync(join(to.state, "agents", "workspace-agent", "s-1.json"), "utf8")).toBe('{"id":"s-1"}');
    expect(existsSync(join(to.state, "config.json"))).toBe(true);
    const file = new DatabaseSync(join(to.state, "daemon.db"));
    expect(file.prepare("PRAGMA auto_vacuum").get()).toEqual({ auto_vacuum: 2 });
    file.close();
    const restored = new SqliteStore({ path: join(to.state, "daemon.db") });
    await restored.open();
    // Those of the daemon that was backed up may still run.
    expect(await restored.agentProcesses()).toEqual([]);
    expect((await restored.openTurns()).length).toBe(3);
    await restored.close();
  });

  test("is refused where it would overwrite something, or others could read it", async () => {
    using home = tempHome();
    const to = join(dirname(home.state), "backup");
    await expect(exportAll({ stateDir: home.state, to })).rejects.toMatchObject({ code: "STORAGE_FAILED" });
    await filledState(home.state);
    mkdirSync(to, { mode: 0o755 });
    await expect(exportAll({ stateDir: home.state, to })).rejects.toThrow("chmod 700");
    chmodSync(to, 0o700);
    writeFileSync(join(to, "mine"), "");
    await expect(exportAll({ stateDir: home.state, to })).rejects.toThrow("is not empty");
  });
});

describe("a restore", () => {
  test("is refused for what is no whole backup, and changes nothing then", async () => {
    using from = tempHome();
    using to = tempHome();
    await filledState(from.state);
    const backup = join(dirname(to.state), "backup");
    const manifest = join(backup, "backup.json");
    await exportAll({ stateDir: from.state, to: backup });
    const text = readFileSync(manifest, "utf8");
    const refusal = () =>
      restoreAll({ from: backup, stateDir: to.state }).then(String, (error: Error) => error.message);
    rmSync(manifest);
    expect(await refusal()).toContain("no whole backup");
    writeFileSync(manifest, text.replace('"format": 1', '"format": 9'));
    expect(await refusal()).toContain("later version");
    writeFileSync(manifest, text.slice(0, 20));
    expect(await refusal()).toContain("no whole backup");
    writeFileSync(manifest, text);
    truncateSync(join(backup, "daemon.db"), 40_000);
    expect(await refusal()).toContain("daemon.db");
    expect(existsSync(join(to.state, "daemon.db"))).toBe(false);
  });

  test("is refused into a state directory with a store, and continues one that was cut off", async () => {
    using from = tempHome();
    using to = tempHome();
    await filledState(from.state);
    const backup = join(dirname(to.state), "backup");
    await exportAll({ stateDir: from.state, to: backup });
    await expect(restoreAll({ from: backup, stateDir: from.state })).rejects.toThrow("There is a store already");
    mkdirSync(to.state, { recursive: true, mode: 0o700 });
    writeFileSync(join(to.state, "daemon.db.restoring"), "half");
    await restoreAll({ from: backup, stateDir: to.state });
    expect(existsSync(join(to.state, "daemon.db.restoring"))).toBe(false);
    expect(storeContents(join(to.state, "daemon.db"))).toEqual(storeContents(join(from.state, "daemon.db")));
  });
});

describe("an exported session", () => {
  async function* texts(store: SqliteStore, id: SessionId): AsyncGenerator<string> {
    for await (const line of exportSession(store, id)) yield JSON.stringify(line);
  }

  test("comes back whole in another store, without the secrets of its MCP servers", async () => {
    const [path, other] = [databasePath(), databasePath()];
    const store = new SqliteStore({ path });
    await store.open();
    await fill(store, S);
    await fill(store, sessionId("s-2"));
    const reader = new SqliteStore({ path });
    await store.close();
    reader.openToRead();
    const lines: string[] = [];
    for await (const text of texts(reader, S)) lines.push(text);
    await reader.close();
    expect(lines.join("\n")).not.toContain("secret");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ type: "session", format: 1, mcpServers: ["m"] });
    const next = new SqliteStore({ path: other });
    await next.open();
    expect(await importSessions(next, asAsync(lines))).toEqual([S]);
    await expect(importSessions(next, asAsync(lines))).rejects.toThrow("There is a session s-1 already");
    await next.close();
    const [before, after] = [storeContents(path), storeContents(other)];
    for (const table of ["messages", "turns", "prompts", "prompt_parts", "requests"]) {
      expect(withoutNumbers(after[table])).toEqual(
        withoutNumbers(before[table]?.filter((row) => !row.includes("s-2"))),
      );
    }
    const frames = (rows: string[] = []) =>
      rows.filter((row) => !row.includes("s-2")).map((row) => JSON.parse(row).frames);
    expect(frames(after.segments)).toEqual(frames(before.segments));
  });

  test("is not half there after a line that is none", async () => {
    const source = new MemoryStore();
    await fill(source, S);
    const lines: string[] = [];
    for await (const line of exportSession(source, S)) lines.push(JSON.stringify(line));
    const store = new MemoryStore();
    const broken = [...lines.slice(0, 3), "{}", ...lines.slice(3)];
    await expect(importSessions(store, asAsync(broken))).rejects.toThrow("Line 4 is not of an exported session");
    expect(await store.readSession(S)).toBeUndefined();
    await expect(importSessions(store, asAsync(lines.slice(1)))).rejects.toThrow(
      "first line must be that of a session",
    );
    // Nothing of it is in the way of the whole file.
    expect(await importSessions(store, asAsync(lines))).toEqual([S]);
    expect(await store.countMessages(S)).toBe(2);
    expect(await store.drafts()).toEqual([]);
  });

  test("is refused by its line when that names no session, and its turns and requests are its own", async () => {
    const source = new MemoryStore();
    await fill(source, S);
    const lines: string[] = [];
    for await (const line of exportSession(source, S)) lines.push(JSON.stringify(line));
    const store = new MemoryStore();
    const nameless = JSON.stringify({ type: "session", format: 1, session: {} });
    await expect(importSessions(store, asAsync([nameless]))).rejects.toMatchObject({ code: "STORAGE_FAILED" });
    const foreign = lines.slice(1).map((text) => text.replaceAll('"sessionId":"s-1"', '"sessionId":"other"'));
    await importSessions(store, asAsync([lines[0] ?? "", ...foreign]));
    const other = sessionId("other");
    expect(await store.turnsBelow(other, 99, 9)).toEqual([]);
    expect(await store.requestsOf(other)).toEqual([]);
    expect(await store.turnsBelow(S, 99, 9)).toHaveLength(2);
  });
});

test("a store is read as it was when the reading began, while it is written, and its daemon can end meanwhile", async () => {
  const path = databasePath();
  const store = new SqliteStore({ path, checkpointProgram: IDLE_PROGRAM });
  await store.open();
  await fill(store, S);
  const reader = new SqliteStore({ path });
  reader.openToRead();
  await store.commit([{ kind: "message", sessionId: S, message: message("later", "later") }]);
  expect(await reader.countMessages(S)).toBe(2);
  await store.close();
  expect(await reader.readMessage(S, "m-1")).toEqual(message("m-1", "héllo\n\0"));
  await reader.close();
  const next = new DatabaseSync(path);
  expect(next.prepare("SELECT count(*) AS n FROM messages").get()).toEqual({ n: 3 });
  next.close();
});

/** A program that checkpoints nothing, so that the store's file may have two connections. */
const IDLE_PROGRAM = (() => {
  const path = join(import.meta.dirname, "..", "..", "node_modules", ".cache", `checkpoint-idle-${process.pid}.cjs`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    'require("node:worker_threads").parentPort.on("message", (m) => m === "close" && process.exit())',
  );
  return path;
})();

/** Rows without their own number, which another store counts anew. */
function withoutNumbers(rows: readonly string[] | undefined): unknown[] {
  return (rows ?? []).map((row) => ({ ...JSON.parse(row), no: undefined }));
}

async function* asAsync(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

test("what a killed daemon left in its log is in a backup, and the log stays for the next start", async () => {
  using home = tempHome();
  await filledState(home.state);
  const path = join(home.state, "daemon.db");
  const store = new SqliteStore({ path, checkpointProgram: IDLE_PROGRAM });
  await store.open();
  await store.commit([{ kind: "message", sessionId: S, message: message("late", "late") }]);
  // As the files of a killed daemon are.
  for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, `${path}.killed${suffix}`);
  await store.close();
  for (const suffix of ["", "-wal"]) renameSync(`${path}.killed${suffix}`, path + suffix);
  const backup = join(dirname(home.state), "it's a backup");
  await exportAll({ stateDir: home.state, to: backup });
  // A statement that nobody finalized keeps its connection open, and the library closes both when it collects them, in any order.
  for (let n = 0; n < 3; n++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(existsSync(`${path}-wal`)).toBe(true);
  expect(storeContents(join(backup, "daemon.db")).messages?.some((row) => row.includes("late"))).toBe(true);
});
