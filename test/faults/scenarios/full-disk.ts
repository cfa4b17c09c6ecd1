import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonSession } from "@daemon-sdk/client";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { round } from "../support/figures.js";
import { SmallDisk, withoutMounts } from "../support/small-disk.js";

const SOON_MS = 1_000;
const LONG_MS = 20_000;
const POLL_MS = 10;
/** Room for a store that works; less than a journal of some minutes. */
const ROOM = "8m";
/** The turn that runs while the disk is full: 50 ms per number. */
const COUNT = 200;
const SAMPLE_COUNT = 40;

/** F8: disks that have no room, or may not be written. */
export const fullDiskScenarios: readonly FaultScenario[] = [
  {
    id: "F8",
    title: "a full or read-only disk is told by name at the start, and survived by a daemon that runs",
    isQuick: true,
    limitMs: 120_000,
    cannotRun: withoutMounts,
    async run(context) {
      const starts = [];
      for (const [options, code] of [
        ["size=64k", "ENOSPC"],
        ["size=64k,ro", "EROFS"],
      ] as const) {
        starts.push(await failsSoon(options, code, context));
      }
      const seen = await neverHalf(context);
      await using disk = await SmallDisk.mount(`size=${ROOM}`);
      const refused = await fillsWhileRunning(disk, context);
      return `${starts.join(", ")}; endpoint file whole in ${seen} looks; full while running: ${refused}`;
    },
  },
];

/** A start by the built door, as clients do it: how it fails, and how soon. */
const STARTER = `
  const { ensureLocalDaemon } = require(process.argv[1]);
  const started = performance.now();
  ensureLocalDaemon({ stateDir: process.argv[2] }).then(
    () => console.log(JSON.stringify({ code: "started" })),
    ({ code, message }) => console.log(JSON.stringify({ code, message, tookMs: performance.now() - started })),
  );
`;

async function failsSoon(options: string, code: string, context: FaultContext): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "disk-"));
  const script = 'mount -t tmpfs -o "$1,mode=0700" tmpfs "$2" && exec "$3" -e "$4" "$5" "$2"';
  const door = createRequire(import.meta.url).resolve("@daemon-sdk/local-daemon");
  const program = [process.execPath, STARTER, door];
  const child = spawn("unshare", ["-m", "sh", "-c", script, "sh", options, directory, ...program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await within(LONG_MS, once(child, "close"));
  const told = JSON.parse(text) as { code: string; message: string; tookMs: number };
  assert.ok(told.message.includes(directory) && told.message.includes(code), `path and ${code}: ${text}`);
  assert.ok(told.tookMs <= SOON_MS * context.slowness, `it failed after ${round(told.tookMs)} ms`);
  rmSync(directory, { recursive: true });
  return `${code} after ${round(told.tookMs)} ms`;
}

/** Starts on disks of every size from too small to enough; whenever the endpoint file is there, it is whole. */
async function neverHalf(context: FaultContext): Promise<number> {
  let looks = 0;
  const step = Math.round(16 / Math.max(context.scale, 0.125));
  for (let kib = 16; kib <= 256; kib += step) {
    await using disk = SmallDisk.begin(`size=${kib}k`);
    const deadline = performance.now() + LONG_MS;
    while (disk.isRunning && performance.now() < deadline) {
      looks += 1;
      if (disk.endpoint() !== undefined) break;
      await new Promise((again) => setImmediate(again));
    }
  }
  return looks;
}

async function fillsWhileRunning(disk: SmallDisk, context: FaultContext): Promise<string> {
  await using connection = await connectDaemon(disk.access);
  await using running = await connection.createSession({ cwd: disk.workspace });
  await using other = await connection.createSession({ cwd: disk.workspace });
  const count = context.isSample ? SAMPLE_COUNT : COUNT;
  const turn = counted(running, count);
  await turn.begun;
  disk.fill();
  const refusedAfter = await until(async () => /STORAGE_FULL/.test(await outcomeOf(other, "say no")));
  const before = turn.numbers.length;
  await until(() => Promise.resolve(turn.numbers.length > before + 5));
  disk.free();
  const started = performance.now();
  await until(async () => (await outcomeOf(other, "say yes")) === "accepted");
  const recovered = performance.now() - started;
  assert.ok(recovered <= SOON_MS * 2 * context.slowness, `it recovered after ${round(recovered)} ms`);
  assert.equal(await within(LONG_MS, turn.done), "success");
  assert.deepEqual(
    turn.numbers,
    Array.from({ length: count }, (_none, index) => index + 1),
    "each number once, in order",
  );
  assert.deepEqual(turn.notices, ["STORAGE_FULL"], "it says so once");
  assert.ok(disk.isRunning);
  return `refused with STORAGE_FULL after ${refusedAfter} sends, the running turn went on, said so once and was a success, taken again after ${round(recovered)} ms`;
}

/** A turn that counts slowly, with its events, its result and its notices about storage. */
function counted(session: DaemonSession, count: number) {
  const numbers: number[] = [];
  const notices: string[] = [];
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const consume = async () => {
    let outcome: string | undefined;
    for await (const event of session.stream(`count ${count} every 50`, { includePartialMessages: true })) {
      if (event.type === "assistant_text_delta") numbers.push(Number(event.text));
      if (event.type === "session_notice") notices.push(event.code);
      if (event.type === "result") outcome = event.subtype;
      if (numbers.length > 0) begin();
    }
    return outcome;
  };
  return { numbers, notices, begun, done: consume() };
}

async function outcomeOf(session: DaemonSession, prompt: string): Promise<string> {
  return await session.send(prompt).then(
    () => "accepted",
    (error: unknown) => `${Reflect.get(Object(error), "code")} ${String(error)}`,
  );
}

/** Retries until the condition holds. Returns the number of tries. */
async function until(isSo: () => Promise<boolean>): Promise<number> {
  const deadline = performance.now() + LONG_MS;
  for (let tries = 1; ; tries += 1) {
    if (await isSo()) return tries;
    assert.ok(performance.now() < deadline, "not so in time");
    await delay(POLL_MS);
  }
}
