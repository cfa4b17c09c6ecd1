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
      const readers = context.isSample ? READERS.slice(context.below(READERS.length)).slice(0, 1) : READERS;
      const parts = readers.map((reader) => [`read ${reader}`, () => lags(reader, context)] as const);
      return await runParts(Object.fromEntries(parts));
    },
  },
];

/** How the turn is read that fills the disk. */
type Reader = "at once" | "when it is over" | "slowly";
const READERS: readonly Reader[] = ["at once", "when it is over", "slowly"];

async function lags(reader: Reader, context: FaultContext): Promise<string> {
  const soon = async <Value>(what: string, work: Promise<Value>): Promise<Value> => {
    return await within(HANGS_MS * Math.min(2, context.slowness), work).catch((error: unknown) => {
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    });
  };
  await using disk = await SmallDisk.mount(`size=${ROOM}`, hostileAgents());
  await using connection = await connectDaemon(disk.access);
  const session = await connection.createSession({ cwd: disk.workspace });
  const other = await connection.createSession({ cwd: disk.workspace });
  assert.equal((await read(session, "before", "at once")).at(-1), "result success");
  const told: string[] = [];
  await soon("the turn", read(session, `line ${LINE_BYTES} ${LINES}`, reader, told)).catch(async (error: unknown) => {
    const opened = await connection.listOpenedSessions();
    const last = opened.find(({ sessionId }) => sessionId === session.sessionId);
    throw new Error(`${String(error)}; told ${told.join(", ")}; the daemon says ${last?.activity}`, { cause: error });
  });
  assert.equal(told.at(-1), "result success", `the turn ends: ${told.slice(-6).join(", ")}`);
  const notices = told.filter((event) => event.startsWith("session_notice"));
  assert.deepEqual([...new Set(notices)], ["session_notice STORAGE_FULL"], "it is said why");
  assert.match(String(await codeOf(other)), /^(STORAGE_FULL|accepted)$/, "what cannot be stored is refused by name");
  disk.grow();
  await soon("room again", accepted(other));
  assert.equal((await soon("the next turn", read(session, "after", "at once"))).at(-1), "result success");
  const gaps = told.filter((event) => event.startsWith("gap")).length;
  return `told why, ${gaps} gaps, a result, and the next turn whole`;
}

/** What is told of a turn, deltas left out. */
async function read(
  session: DaemonSession,
  prompt: string,
  reader: Reader,
  told: string[] = [],
): Promise<readonly string[]> {
  const messageId = crypto.randomUUID();
  let deltas = 0;
  for await (const event of session.stream(prompt, { messageId, includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") {
      deltas += 1;
      // No more is taken until all of it was said.
      if (deltas === 1 && reader === "when it is over") await session.waitForReceipt(messageId);
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
