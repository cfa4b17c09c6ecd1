import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonSession } from "@daemon-sdk/client";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { hostileAgents } from "../support/hostile-agent.js";
import { runParts } from "../support/parts.js";
import { SmallDisk, withoutMounts } from "../support/small-disk.js";

/** Room for a store that works; less than the turn says. */
const ROOM = "24m";
const LINES = 1_500;
const LINE_BYTES = 20_000;
/** A stream that has not ended by then never will. */
const HANGS_MS = 30_000;
const POLL_MS = 20;

/** Z4: a disk that fills up while a reader lags. */
export const lagOnFullDiskScenarios: readonly FaultScenario[] = [
  {
    id: "Z4",
    title:
      "a reader that lags while the disk fills up gets a notice, the turn's end and its result, and the next turn whole",
    isQuick: true,
    limitMs: 300_000,
    cannotRun: withoutMounts,
    async run(context) {
      const parts = READERS.map((reader) => [`read ${reader}`, () => lags(reader, context)] as const);
      return await runParts(Object.fromEntries(parts));
    },
  },
];

/** How the turn is read that fills the disk. */
type Reader = "at once" | "after the disk is full" | "slowly";
const READERS: readonly Reader[] = ["at once", "after the disk is full", "slowly"];

async function lags(reader: Reader, context: FaultContext): Promise<string> {
  await using disk = await SmallDisk.mount(`size=${ROOM}`, hostileAgents());
  await using connection = await connectDaemon(disk.access);
  const session = await connection.createSession({ cwd: disk.workspace });
  const other = await connection.createSession({ cwd: disk.workspace });
  assert.equal((await read(session, "before", "at once")).at(-1), "result success");
  const isFull = async () => {
    while ((await codeOf(other)) !== "STORAGE_FULL") await delay(POLL_MS);
  };
  const patience = HANGS_MS * Math.min(2, context.slowness);
  const told = await within(patience, read(session, `line ${LINE_BYTES} ${LINES}`, reader, isFull));
  assert.equal(told.at(-1), "result success", `the turn ends: ${told.slice(-6).join(", ")}`);
  const notices = told.filter((event) => event.startsWith("session_notice"));
  assert.deepEqual([...new Set(notices)], ["session_notice STORAGE_FULL"], "it is said why");
  const refused = await codeOf(other);
  assert.equal(refused, "STORAGE_FULL", "what could not be stored is refused");
  disk.grow();
  await within(patience, accepted(other));
  assert.equal((await within(patience, read(session, "after", "at once"))).at(-1), "result success");
  const gaps = told.filter((event) => event.startsWith("gap")).length;
  return `told why, ${gaps} gaps, a result, and the next turn whole`;
}

/** What is told of a turn, deltas left out. */
async function read(
  session: DaemonSession,
  prompt: string,
  reader: Reader,
  isFull?: () => Promise<void>,
): Promise<string[]> {
  const told: string[] = [];
  let deltas = 0;
  for await (const event of session.stream(prompt, { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") {
      deltas += 1;
      if (deltas === 1 && reader === "after the disk is full") await isFull?.();
      if (reader === "slowly") await delay(1);
    } else if (event.type === "result") told.push(`result ${event.subtype}`);
    else told.push(event.type === "session_notice" ? `${event.type} ${event.code}` : event.type);
  }
  return told;
}

async function codeOf(session: DaemonSession): Promise<unknown> {
  return await session.send("a prompt").then(
    () => "accepted",
    (error: unknown) => Reflect.get(Object(error), "code"),
  );
}

async function accepted(session: DaemonSession): Promise<void> {
  while ((await codeOf(session)) !== "accepted") await delay(POLL_MS);
}
