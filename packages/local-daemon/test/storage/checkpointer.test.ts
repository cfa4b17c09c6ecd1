import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sessionId, silentLogger } from "@daemon-sdk/protocol";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { STORAGE_LIMITS } from "../../src/limits/storage-limits.js";
import { SqliteStore } from "../../src/storage/sqlite-store.js";
import { bundledProgram } from "../support/bundled-program.js";
import { databasePath } from "./database-path.js";
import { segment } from "./store-contract.js";

const S = sessionId("s-1");
const MIB = 2 ** 20;
const CACHE = join(import.meta.dirname, "..", "..", "node_modules", ".cache");
let program: string;

beforeAll(() => {
  program = bundledProgram("src/storage/checkpoint-worker.ts");
});

/** Commits so many MiB, one a turn of the loop; returns the largest size of the log. */
async function write(path: string, checkpointProgram: string, mib: number): Promise<number> {
  const store = new SqliteStore({ path, checkpointProgram });
  await store.open();
  onTestFinished(() => store.close());
  const frames = ["x".repeat(MIB)];
  let largest = 0;
  for (let seq = 1; seq <= mib; seq += 1) {
    await store.commit([{ kind: "segment", row: segment(S, seq, frames) }]);
    await new Promise((resolve) => setImmediate(resolve));
    largest = Math.max(largest, statSync(`${path}-wal`).size);
  }
  return largest;
}

function programOf(text: string): string {
  const path = join(CACHE, `checkpoint-worker-fake-${process.pid}.cjs`);
  writeFileSync(path, text);
  return path;
}

test("a thread checkpoints, and the log stays bounded however fast is written", async () => {
  const path = databasePath();
  const largest = await write(path, program, 256);
  // Writing goes on while the thread starts, and while it copies what it found.
  expect(largest).toBeLessThan(3 * STORAGE_LIMITS.walHoldBytes);
});

test("a commit does not checkpoint: while the thread has not answered, the log grows", async () => {
  const mute = 'require("node:worker_threads").parentPort.on("message", (m) => m === "close" && process.exit())';
  expect(await write(databasePath(), programOf(mute), 24)).toBeGreaterThan(20 * MIB);
});

test("commits checkpoint themselves once the thread has failed", async () => {
  const path = databasePath();
  let failed = () => {};
  const failure = new Promise<void>((resolve) => {
    failed = resolve;
  });
  const logger = { ...silentLogger, error: () => failed() };
  const store = new SqliteStore({ path, logger, checkpointProgram: programOf('throw new Error("no thread today")') });
  await store.open();
  onTestFinished(() => store.close());
  const commit = (seq: number) => store.commit([{ kind: "segment", row: segment(S, seq, ["z".repeat(MIB)]) }]);
  for (let seq = 1; seq <= 6; seq += 1) await commit(seq);
  await failure;
  const before = statSync(path).size;
  for (let seq = 7; seq <= 12; seq += 1) await commit(seq);
  expect(statSync(path).size).toBeGreaterThan(before + 4 * MIB);
});

test("after a close everything is in the file, and the log and its index are gone", async () => {
  const path = databasePath();
  const store = new SqliteStore({ path, checkpointProgram: program });
  await store.open();
  for (let seq = 1; seq <= 8; seq += 1) {
    await store.commit([{ kind: "segment", row: segment(S, seq, ["y".repeat(MIB)]) }]);
  }
  await store.close();
  expect([`${path}-wal`, `${path}-shm`].filter((file) => existsSync(file))).toEqual([]);
  const again = new SqliteStore({ path, checkpointProgram: program });
  await again.open();
  expect((await again.journalBounds(S)).lastSeq).toBe(8);
  await again.close();
});
