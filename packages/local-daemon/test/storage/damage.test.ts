import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { DaemonError, type SessionId, sessionId, silentLogger } from "@daemon-sdk/protocol";
import { DatabaseSync } from "@photostructure/sqlite";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { salvageInThread } from "../../src/storage/salvage/salvage-thread.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import { failpointBuild } from "../support/failpoint-build.js";
import { databasePath } from "./database-path.js";
import { message, segment, sessionRow, turn } from "./store-contract.js";

const PAGE = 16_384;
const SESSIONS = 60;
const IDS = Array.from({ length: SESSIONS }, (_, at) => sessionId(`s-${String(at).padStart(3, "0")}`));

/** A store with sixty sessions, closed. `keepsLog`: as a killed daemon leaves it. */
async function filledStore(): Promise<string> {
  const path = databasePath();
  const store = new SqliteStore({ path, mailboxFreshRows: 8, journalFreshRows: 200 });
  await store.open();
  for (const [at, id] of IDS.entries()) {
    await store.commit([
      { kind: "session", row: sessionRow(id, { updatedAt: 1_000 + at }) },
      { kind: "turn", row: turn(id, `t-${at}`, 1, { state: "completed", endedAt: 5, firstSeq: 1, lastSeq: 20 }) },
    ]);
  }
  for (let round = 1; round <= 10; round += 1) {
    for (const id of IDS) {
      const frames = [frame(id, round, 1), frame(id, round, 2)];
      await store.commit([
        { kind: "message", sessionId: id, message: message(`m-${round}`, `${id} ${"text ".repeat(300)}`) },
        { kind: "segment", row: segment(id, round * 2 - 1, frames, { epoch: 9_000_000_000 }) },
      ]);
    }
  }
  await store.close();
  return path;
}

function frame(id: string, round: number, no: number): string {
  return JSON.stringify({ id, round, no, text: "x".repeat(700) });
}

/** Overwrites pages as a disk does that lost them; `where` gets how many there are. */
function overwrite(path: string, where: (pages: number) => number[]): void {
  const file = openSync(path, "r+");
  const pages = statSync(path).size / PAGE;
  for (const page of where(pages)) writeSync(file, Buffer.alloc(PAGE, 0x5a), 0, PAGE, page * PAGE);
  closeSync(file);
  // As after a kill: a start that follows a clean end does not check.
  writeFileSync(`${path}-wal`, "");
}

function overwriteWhileOpen(path: string, pages: number[]): void {
  for (const page of pages) overwriteBytes(path, page * PAGE, PAGE);
}

function overwriteBytes(path: string, from: number, length: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(length, 0x5a), 0, length, from);
  closeSync(file);
}

/** The first page that holds a text. */
function pageWith(path: string, text: string): number {
  return Math.floor(readFileSync(path).indexOf(text) / PAGE);
}

/** The page that a table or an index begins at. */
function rootOf(path: string, name: string): number {
  const database = new DatabaseSync(path);
  const row = database.prepare("SELECT rootpage AS page FROM sqlite_schema WHERE name = ?").get(name);
  database.close();
  return Number((row as { page: number }).page) - 1;
}

async function reopened(path: string): Promise<SqliteStore> {
  const store = new SqliteStore({ path });
  const { epoch } = await store.open();
  // No position of the damaged store comes back.
  expect(epoch).toBeGreaterThan(9_000_000_000 - 1);
  return store;
}

interface Read {
  readonly sessions: string[];
  readonly marked: string[];
  readonly messages: number;
  readonly frames: number;
}

async function readAll(store: SqliteStore): Promise<Read> {
  const rows = await store.listSessions({ limit: 1_000 });
  let [messages, frames] = [0, 0];
  for (const { id } of rows) {
    const page = await store.readMessages(id, { limit: 100 });
    for (const { content } of page.messages) expect(JSON.stringify(content)).toContain(`${id} text text`);
    messages += page.messages.length;
    frames += await countFrames(store, id);
  }
  return {
    sessions: rows.map(({ id }) => id).sort(),
    marked: rows
      .filter(({ damagedAt }) => damagedAt !== undefined)
      .map(({ id }) => id)
      .sort(),
    messages,
    frames,
  };
}

/** Frames of a journal over its holes. */
async function countFrames(store: SqliteStore, id: SessionId): Promise<number> {
  const { lastSeq } = await store.journalBounds(id);
  let count = 0;
  for (let seq = 1; seq <= lastSeq; ) {
    const run = await store.readEntries(id, seq, 1);
    for (const text of run.entries) expect(JSON.parse(text)).toMatchObject({ id });
    count += run.entries.length;
    seq = run.firstSeq + Math.max(1, run.entries.length);
  }
  return count;
}

const quarantines = (path: string) =>
  readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.damaged-`) && !name.endsWith("-wal"));

describe("a start with damaged pages copies what is readable", () => {
  test("one page in the middle: all sessions are there, those that lost something are marked, and it can be written", async () => {
    const path = await filledStore();
    overwrite(path, () => [pageWith(path, "s-030 text")]);
    const damaged = readFileSync(path);
    const store = await reopened(path);
    const read = await readAll(store);
    expect(read.sessions).toEqual(IDS);
    expect(read.messages + read.frames / 2).toBeGreaterThan(SESSIONS * 20 - 40);
    expect(read.messages + read.frames / 2).toBeLessThan(SESSIONS * 20);
    expect(read.marked.length).toBeGreaterThan(0);
    expect(read.marked.length).toBeLessThan(SESSIONS);
    const [quarantine = ""] = quarantines(path);
    const kept = readFileSync(join(dirname(path), quarantine));
    expect(kept.equals(damaged)).toBe(true);
    await store.commit([{ kind: "message", sessionId: IDS[0] as SessionId, message: message("new", "new") }]);
    await store.close();
    expect(existsSync(`${path}.salvage`)).toBe(false);
    const next = await reopened(path);
    expect(await next.readMessage(IDS[0] as SessionId, "new")).toBeDefined();
    await next.close();
  });

  test("every fifth page: what remains is read to the end", async () => {
    const path = await filledStore();
    const roots = ["sessions", "messages", "segments", "turns", "meta"].map((name) => rootOf(path, name));
    overwrite(path, (pages) =>
      Array.from({ length: pages }, (_, page) => page).filter(
        (page) => page > 2 && page % 5 === 1 && !roots.includes(page),
      ),
    );
    const store = await reopened(path);
    const read = await readAll(store);
    expect(read.sessions.length).toBeGreaterThan(SESSIONS / 2);
    expect(read.messages).toBeGreaterThan(SESSIONS * 10 * 0.6);
    expect(read.frames).toBeGreaterThan(SESSIONS * 20 * 0.6);
    await store.close();
  });

  test("a file cut in half: the first half is read", async () => {
    const path = await filledStore();
    truncateSync(path, Math.floor(statSync(path).size / 2));
    writeFileSync(`${path}-wal`, "");
    const store = await reopened(path);
    const read = await readAll(store);
    expect(read.sessions).toEqual(IDS);
    expect(read.messages).toBeGreaterThan(SESSIONS * 3);
    await store.close();
  });

  test("an index alone: nothing is lost", async () => {
    const path = await filledStore();
    overwrite(path, () => [rootOf(path, "messages_in_order"), rootOf(path, "segment_runs")]);
    const store = await reopened(path);
    expect(await readAll(store)).toMatchObject({ sessions: IDS, messages: SESSIONS * 10, frames: SESSIONS * 20 });
    await store.close();
  });

  test.each([
    ["cut in half", (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2))],
    ["without the root of its index", (path: string) => overwrite(path, () => [rootOf(path, "segment_runs")])],
  ])("after a clean end, too, where the damage shows while it is opened: %s", async (_, damage) => {
    const path = await filledStore();
    damage(path);
    rmSync(`${path}-wal`, { force: true });
    const store = await reopened(path);
    expect((await readAll(store)).sessions).toEqual(IDS);
    expect(quarantines(path)).toHaveLength(1);
    await store.close();
  });

  test("which is logged, and continued by the next start when it is cut off", async () => {
    const path = await filledStore();
    overwrite(path, () => [pageWith(path, "s-030 text")]);
    // As a start leaves it that was killed behind the rename.
    renameSync(path, `${path}.damaged-then`);
    rmSync(`${path}-wal`);
    writeFileSync(`${path}.salvage`, JSON.stringify({ quarantine: `${basename(path)}.damaged-then` }));
    writeFileSync(`${path}.salvaged`, "half of a copy");
    const lines: object[] = [];
    const logger = { ...silentLogger, error: (fields: object) => lines.push(fields) };
    const store = new SqliteStore({ path, logger });
    await store.open();
    expect((await readAll(store)).sessions).toEqual(IDS);
    expect(lines).toMatchObject([{ quarantine: `${path}.damaged-then`, lostSessions: [] }]);
    await store.close();
  });
});

test("the copy is made by the program of a thread, which reports what failed", async () => {
  const program = join(dirname(failpointBuild().daemon), "salvage-worker.cjs");
  const path = await filledStore();
  overwrite(path, () => [pageWith(path, "s-030 text")]);
  const report = await salvageInThread({ from: path, to: `${path}.copy`, now: 5 }, program);
  expect(report).toMatchObject({ damagedTables: ["messages"], lostSessions: [] });
  expect(report.damagedSessions).toBeGreaterThan(0);
  const nowhere = salvageInThread({ from: path, to: join(path, "none"), now: 5 }, program);
  await expect(nowhere).rejects.toSatisfy((error) => DaemonError.is(error, "STORAGE_FAILED"));
});

describe("a read that meets damage", () => {
  test("fails with STORAGE_FAILED and the remedy, everything else works, and the next start copies what is readable", async () => {
    const path = await filledStore();
    const store = new SqliteStore({ path });
    await store.open();
    // The cache of the connection holds what was read; these pages were not.
    overwriteWhileOpen(path, [pageWith(path, "s-030 text")]);
    const failures: unknown[] = [];
    let [read, failed] = [0, 0];
    for (const id of IDS) {
      await store.readMessages(id, { limit: 100 }).then(
        () => (read += 1),
        (error: unknown) => {
          failed += 1;
          failures.push(error);
        },
      );
      await countFrames(store, id).catch((error: unknown) => failures.push(error));
    }
    expect(failures.length).toBeGreaterThan(0);
    expect(read).toBeGreaterThan(0);
    for (const error of failures) {
      expect(DaemonError.is(error, "STORAGE_FAILED")).toBe(true);
      expect(error).toMatchObject({ retryable: false, message: expect.stringContaining("start it again") });
    }
    expect(failed).toBeLessThan(SESSIONS);
    await store.commit([{ kind: "session", row: sessionRow(sessionId("s-later")) }]);
    await store.close();
    const next = await reopened(path);
    expect((await readAll(next)).sessions).toEqual([...IDS, "s-later"]);
    expect(quarantines(path)).toHaveLength(1);
    await next.close();
  });
});

describe("what is no store is refused, with what to do, and stays as it is", () => {
  test.each([
    ["a directory", (path: string) => mkdirSync(path), "is a directory"],
    ["a text", (path: string) => writeFileSync(path, "x".repeat(50_000)), "is not a database"],
    ["a short text", (path: string) => writeFileSync(path, "no"), "is not a database"],
  ])("%s", async (_, make, why) => {
    const path = databasePath();
    make(path);
    const error: unknown = await new SqliteStore({ path }).open().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "STORAGE_FAILED", retryable: false });
    expect(String(error)).toContain(why);
    expect(String(error)).toContain(`mv '${path}' '${path}.old'`);
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
  });

  test.each([
    ["whose first page is lost", () => [0]],
    ["whose header is whole and whose schema is not", () => []],
  ])("a store %s", async (_, pages) => {
    const path = await filledStore();
    overwrite(path, pages);
    if (pages().length === 0) overwriteBytes(path, 100, PAGE - 100);
    const before = readFileSync(path);
    const error: unknown = await new SqliteStore({ path }).open().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "STORAGE_FAILED", retryable: false });
    expect(String(error)).toContain(`mv '${path}' '${path}.old'`);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe("a file that is gone while the store is open", () => {
  test.each([
    ["deleted", (path: string) => rmSync(path)],
    [
      "replaced",
      (path: string) => {
        cpSync(path, `${path}.copy`);
        renameSync(`${path}.copy`, path);
      },
    ],
    ["without its write-ahead log", (path: string) => rmSync(`${path}-wal`)],
  ])(
    "%s: commits are refused with STORAGE_FAILED and the remedy, and the log says so, without a commit, within 5 s",
    async (_, take) => {
      vi.useFakeTimers();
      onTestFinished(() => void vi.useRealTimers());
      const path = await filledStore();
      const lines: string[] = [];
      const logger = { ...silentLogger, error: (_fields: object, text: string) => lines.push(text) };
      const store = new SqliteStore({ path, logger });
      await store.open();
      await store.commit([{ kind: "session", row: sessionRow(sessionId("before")) }]);
      take(path);
      vi.advanceTimersByTime(5_000);
      expect(lines).toEqual([expect.stringContaining("put the file back")]);
      const writes = [{ kind: "session", row: sessionRow(sessionId("after")) }] as const;
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const error: unknown = await store.commit(writes).catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: "STORAGE_FAILED", retryable: false });
      }
      // What was stored before is still read.
      expect(await store.readSession(sessionId("before"))).toBeDefined();
      expect(lines).toHaveLength(1);
      await store.close().catch(() => {});
    },
  );
});
