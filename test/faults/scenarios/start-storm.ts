import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, freemem } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { quantile, round } from "../support/figures.js";
import { startForeground } from "../support/foreground-daemon.js";
import { hostileAgents } from "../support/hostile-agent.js";

const SESSIONS = 200;
/** Processor time of one start; `droid exec` takes as much. */
const START_MS = 250;
const CONNECTS_EVERY_MS = 250;
const CONNECT_MS = 1_000;
const AGENT_BYTES = 60 * 2 ** 20;
/** Starts for each core that are tried before all of them. */
const FEW = 6;
/** Processor time of all starts on one core, twice over. */
const WAVE_MS = 150_000;
const BUSY_RETRY_MS = 200;

/** Z8: agents that all want to start at once. */
export const startStormScenarios: readonly FaultScenario[] = [
  {
    id: "Z8",
    title:
      "when 200 agents are to start at once, as many start as there are cores, all get their turn, and clients connect",
    isQuick: true,
    limitMs: 600_000,
    cannotRun() {
      const isShort = freemem() < SESSIONS * AGENT_BYTES;
      return isShort ? `${SESSIONS} agents need ${(SESSIONS * AGENT_BYTES) / 2 ** 20} MiB of memory` : undefined;
    },
    run: storm,
  },
];

async function storm(context: FaultContext): Promise<string> {
  const env = { START_MS: String(context.count(START_MS, 20)), STARTS_FILE: "starts.txt" };
  await using daemon = await startForeground({ config: hostileAgents(env) });
  await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
  const ground = { connection, cwd: daemon.workspace, starts: join(daemon.workspace, env.STARTS_FILE) };
  // A few first: two hundred that start as they like would take this machine from everybody.
  if (!context.isSample) await wave(FEW * availableParallelism(), ground, context);
  const access = { url: daemon.url, token: daemon.token, reconnect: false } as const;
  const { ms: quiet } = await connect(access);
  await using clients = new Newcomers(access);
  const started = performance.now();
  const count = context.count(SESSIONS, 3 * availableParallelism());
  const atOnce = await wave(count, ground, context);
  const tookMs = performance.now() - started;
  const connects = await clients.stop();
  assert.ok(clients.mostWaiting > 0 || context.isSample, "sessions say that they wait for their agent");
  const slowest = Math.max(...connects);
  assert.ok(slowest <= CONNECT_MS * context.slowness, `a client was connected after ${round(slowest)} ms`);
  return (
    `${count} starts at once: at most ${atOnce} at a time, up to ${clients.mostWaiting} said that they wait, all answered within ${round(tookMs / 1_000)} s; ${connects.length} clients ` +
    `meanwhile connected in p50 ${round(quantile(connects, 0.5))}, at most ${round(slowest)} ms (quiet ${round(quiet)})`
  );
}

interface Ground {
  readonly connection: DaemonConnection;
  readonly cwd: string;
  /** Where agents write down their starts. */
  readonly starts: string;
}

/** So many sessions at once, each with a first turn. Resolves to how many agents started at a time. */
async function wave(count: number, { connection, cwd, starts }: Ground, context: FaultContext): Promise<number> {
  const turns = Array.from({ length: count }, (_none, index) => firstTurn(connection, cwd, index));
  const outcomes = await within(WAVE_MS * Math.min(2, context.slowness), Promise.all(turns));
  const failed = outcomes.filter((outcome) => outcome !== "success");
  assert.deepEqual(failed.slice(0, 3), [], `${failed.length} of ${count} sessions got no answer`);
  const atOnce = startsAtOnce(starts);
  assert.ok(atOnce <= availableParallelism(), `${atOnce} agents started at a time on ${availableParallelism()} cores`);
  return atOnce;
}

/** Makes a session and has it answer; by what it fails else. A session that has to wait for its agent is asked for again. */
async function firstTurn(connection: DaemonConnection, cwd: string, index: number): Promise<string> {
  const sessionId = crypto.randomUUID();
  try {
    let session = await open();
    for (; session === undefined; session = await open()) await delay(BUSY_RETRY_MS);
    let outcome = "no result";
    for await (const event of session.stream(`answer ${index}`)) {
      if (event.type === "result") outcome = event.text === `answer ${index}` ? event.subtype : event.text;
    }
    await session.close();
    return outcome;
  } catch (error) {
    return `${Reflect.get(Object(error), "code")}: ${String(error)}`;
  }

  function open(): Promise<DaemonSession | undefined> {
    return connection.createSession({ cwd, sessionId }).catch((error: unknown) => {
      if (Reflect.get(Object(error), "code") === "AGENTS_BUSY") return undefined;
      throw error;
    });
  }
}

/** Clients that connect one after another, and how long each took. */
class Newcomers implements AsyncDisposable {
  readonly #took: number[] = [];
  readonly #connecting: Promise<unknown>;
  #isOver = false;
  #mostWaiting = 0;

  constructor(access: Access) {
    this.#connecting = this.#connect(access).catch((error: unknown) => error);
  }

  /** Sessions that said that they wait for their agent, at most at a time. */
  get mostWaiting(): number {
    return this.#mostWaiting;
  }

  async stop(): Promise<number[]> {
    this.#isOver = true;
    const failure = await this.#connecting;
    if (failure !== undefined) throw failure;
    return this.#took;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#connecting;
  }

  async #connect(access: Access): Promise<void> {
    while (!this.#isOver) {
      const { ms, waiting } = await connect(access);
      this.#took.push(ms);
      this.#mostWaiting = Math.max(this.#mostWaiting, waiting);
      await delay(CONNECTS_EVERY_MS);
    }
  }
}

type Access = Parameters<typeof connectDaemon>[0];

/** How long a client takes to be connected and answered, and how many sessions say that they wait for their agent. */
async function connect(access: Access): Promise<{ readonly ms: number; readonly waiting: number }> {
  const started = performance.now();
  await using connection = await connectDaemon(access);
  const sessions = await connection.listOpenedSessions();
  const ms = performance.now() - started;
  return { ms, waiting: sessions.filter(({ activity }) => activity === "waiting-agent").length };
}

/** The most agents that had begun and not yet answered, at any time. */
function startsAtOnce(path: string): number {
  assert.ok(existsSync(path), "agents write down their starts");
  const events = readFileSync(path, "utf8").split("\n").slice(0, -1);
  let [now, most] = [0, 0];
  for (const event of events) {
    now += event.startsWith("starts ") ? 1 : -1;
    most = Math.max(most, now);
  }
  return most;
}
