import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon } from "@daemon-sdk/client";
import { type ChaosConnection, ChaosProxy } from "@daemon-sdk/testing/node";
import { within } from "../../stress/check.js";
import { RoleProcess } from "../roles/role.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { environmentOf } from "../support/daemon-home.js";
import { bytes, openFiles, openPaths, quantile, round, withoutProc } from "../support/figures.js";
import { ProbedDaemon, TIGHT_MEMORY } from "../support/probed-daemon.js";

const KEY = "fk-the-key-of-the-soak-test";
const SESSIONS = 50;
const FAULT_EVERY_MS = 5_000;
/** Between what a fault took on a busy machine and the next one: faults that lie in wait for each other leave no time to come back. */
const LEAST_PAUSE_MS = 2_500;
const WARM_UP_MS = 60_000;
/** Daemons are killed after the measured time, among this share of its faults: a new daemon has its peaks of memory still to come. */
const KILLING_SHARE = 0.2;
/** A half-open link ends after this long, as the keep-alive of a system ends it; until then it holds what waits for its peer. */
const HALF_OPEN_MS = 10_000;
const SETTLE_MS = 15_000;
const RESUMED_MS = 120_000;
const SLOPE_BYTES = 2 ** 20;
/** Shortest time for a slope. Below a minute it shows the garbage collector and not a leak. */
const LEAST_SPAN_MS = 60_000;

/** L6: everything at once, for a while. */
export const soakScenarios: readonly FaultScenario[] = [
  {
    id: "L6",
    title: "under one fault after another nothing is lost, doubled or left without an end, and nothing grows",
    limitMs: 30 * 60_000,
    cannotRun: withoutProc,
    async run(context) {
      await using daemon = await ProbedDaemon.start({ apiKeys: [KEY] }, TIGHT_MEMORY);
      await using ownerLink = await ChaosProxy.start({ target: { path: daemon.socketPath }, seed: context.seed });
      await using watcherLink = await ChaosProxy.start({ target: { path: daemon.socketPath }, seed: context.seed + 1 });
      const urls = [ownerLink, watcherLink].map(({ port }) => `ws://127.0.0.1:${port}`);
      const args = [...urls, KEY, daemon.workspace, String(SESSIONS), String(context.seed)];
      const filesBefore = await filesOfUsed(daemon);
      await using client = RoleProcess.start("soak-client", {
        args,
        execArgv: ["--expose-gc", ...TIGHT_MEMORY.execArgv],
        env: TIGHT_MEMORY.env,
      });
      await within(120_000, client.next());
      const soak = new Soak(daemon, client, [ownerLink, watcherLink], context);
      const summary = await soak.run();
      return `${summary}, ${await closed(daemon, filesBefore)}`;
    },
  },
];

const KINDS = ["cut", "cut inside a frame", "stall", "delay", "agent killed"];
const FIRST_KINDS = ["stall", "agent killed", "cut inside a frame", "stall", "cut", "delay", "stall"];

interface Sample {
  readonly atMs: number;
  readonly client: number;
  readonly daemon: number;
  readonly alive: number;
  readonly daemonPid: number;
}

interface Told {
  readonly rss: number;
  readonly heapUsed: number;
  readonly turns: number;
  readonly completed: number;
  readonly cut: number;
  readonly events: number;
  readonly reconnects: number;
  readonly faults: readonly string[];
}

class Soak {
  readonly #daemon: ProbedDaemon;
  readonly #client: RoleProcess;
  readonly #links: readonly ChaosProxy[];
  readonly #context: FaultContext;
  readonly #injected = new Map<string, number>();
  readonly #samples: Sample[] = [];
  /** Half-open links, and when they end. */
  readonly #halfOpen = new Map<ChaosConnection, number>();
  #faults = 0;
  readonly #startedAt = performance.now();

  constructor(daemon: ProbedDaemon, client: RoleProcess, links: readonly ChaosProxy[], context: FaultContext) {
    this.#daemon = daemon;
    this.#client = client;
    this.#links = links;
    this.#context = context;
  }

  async run(): Promise<string> {
    const measuredMs = this.#context.minutes * 60_000;
    let deadlyFaults = Math.ceil((KILLING_SHARE * measuredMs) / FAULT_EVERY_MS);
    for (let lastAt = 0; deadlyFaults > 0; ) {
      await delay(Math.max(LEAST_PAUSE_MS, lastAt + FAULT_EVERY_MS - this.#elapsedMs));
      lastAt = this.#elapsedMs;
      const mayKill = lastAt > measuredMs;
      if (mayKill) deadlyFaults -= 1;
      await this.#inject(mayKill);
      await this.#look();
    }
    for (const link of this.#links) for (const connection of link.connections) connection.resume();
    const told = await within(180_000, this.#client.ask<Told>({ stop: true }));
    assert.deepEqual(told.faults.slice(0, 20), [], "the books are clean");
    assert.ok(told.turns > 0 && told.completed > 0, "turns ran");
    return this.#summary(told);
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /**
   * One fault. The first ones are of every kind, so that memory has had its peaks (a stalled link holds what was on its way) before
   * it is measured. In the last part every second one kills the daemon.
   */
  async #inject(mayKill: boolean): Promise<void> {
    this.#endHalfOpen();
    const drawn = KINDS[this.#context.below(KINDS.length)] ?? "cut";
    const later = mayKill && this.#faults % 2 === 0 ? "daemon killed" : drawn;
    const kind = FIRST_KINDS[this.#faults++] ?? later;
    this.#injected.set(kind, (this.#injected.get(kind) ?? 0) + 1);
    if (kind === "agent killed") killOneAgent(this.#daemon.pid, this.#context);
    else if (kind === "daemon killed") {
      await this.#daemon.end("SIGKILL");
      await this.#daemon.start();
      await within(RESUMED_MS, this.#turnsRun());
    } else {
      const link = this.#links[this.#context.below(this.#links.length)];
      for (const connection of link?.connections ?? []) this.#spoil(connection, kind);
    }
  }

  /** Resolves when the sessions talk again, so that each start of a daemon has something to kill. */
  async #turnsRun(): Promise<void> {
    const { events } = await this.#client.ask<Told>({});
    while ((await this.#client.ask<Told>({})).events < events + SESSIONS) await delay(100);
  }

  #endHalfOpen(): void {
    for (const [connection, endsAt] of this.#halfOpen) {
      if (this.#elapsedMs < endsAt) continue;
      connection.cut();
      this.#halfOpen.delete(connection);
    }
  }

  #spoil(connection: ChaosConnection, kind: string): void {
    // What is half-open has had its fault.
    if (this.#halfOpen.has(connection)) return;
    if (kind === "cut") connection.cut();
    else if (kind === "stall") {
      // Without a word: the client has to notice by itself.
      connection.stall();
      this.#halfOpen.set(connection, this.#elapsedMs + HALF_OPEN_MS);
    } else if (kind === "delay") connection.delay({ minMs: 0, maxMs: 100 });
    else connection.toClient.cutAt(connection.toClient.passedBytes + this.#context.below(2_000));
  }

  async #look(): Promise<void> {
    const [told, daemon] = await Promise.all([this.#client.ask<Told>({}), this.#daemon.memory()]);
    assert.deepEqual(told.faults.slice(0, 20), [], "the books are clean");
    const sample = {
      atMs: this.#elapsedMs,
      client: told.rss,
      daemon: daemon.rss,
      alive: daemon.heapUsed + daemon.external,
      daemonPid: this.#daemon.pid,
    };
    this.#samples.push(sample);
  }

  #summary(told: Told): string {
    const late = this.#samples.filter(({ atMs }) => atMs >= WARM_UP_MS);
    const steady = late.filter(({ daemonPid }) => daemonPid === late[0]?.daemonPid);
    const slopes = [
      ["client", slopeOf(late.map(({ atMs, client }) => [atMs, client]))],
      ["daemon", slopeOf(steady.map(({ atMs, daemon }) => [atMs, daemon]))],
    ] as const;
    const alive = steady.map(({ alive }) => bytes(alive)).join(", ");
    for (const [who, slope] of slopes) {
      const grows = `the ${who} grows by ${bytes(slope ?? 0)} a minute; alive in the daemon's heap: ${alive}`;
      assert.ok(slope === undefined || slope < SLOPE_BYTES, grows);
    }
    const grew = slopes.map(([who, slope]) => `${who} ${slope === undefined ? "(too short)" : `${bytes(slope)}/min`}`);
    const kinds = [...this.#injected].map(([kind, times]) => `${times} × ${kind}`).join(", ");
    return (
      `${round(this.#context.minutes)} min, ${SESSIONS} sessions, ${told.turns} turns (${told.completed} completed, ` +
      `${told.cut} ended early), ${told.events} events, 0 lost, doubled or out of order, one end each; ${kinds}; ` +
      `${told.reconnects} reconnects; RSS ${grew.join(", ")}`
    );
  }
}

/**
 * Bytes a minute: the median of the slopes between all pairs of samples, which one peak does not move. Undefined when the samples
 * span too little time.
 */
function slopeOf(points: readonly (readonly [number, number])[]): number | undefined {
  if ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0) < LEAST_SPAN_MS) return undefined;
  const slopes = points.flatMap(([at, size], index) =>
    points.slice(index + 1).map(([later, grown]) => ((grown - size) / (later - at)) * 60_000),
  );
  return quantile(slopes, 0.5);
}

function killOneAgent(daemonPid: number, context: FaultContext): void {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const agents = pids.filter((pid) => environmentOf(Number(pid)).includes("\0DAEMON_SDK_SESSION="));
  const mark = /\0TMPDIR=[^\0]*/.exec(environmentOf(daemonPid))?.[0] ?? "\0TMPDIR=";
  const ours = agents.filter((pid) => environmentOf(Number(pid)).includes(`${mark}\0`));
  const victim = Number(ours[context.below(ours.length)]);
  if (victim > 1) process.kill(victim, "SIGKILL");
}

/**
 * Open descriptors of a daemon that has had a client and a session: its log is open, its program is loaded, and the threads that
 * search and checkpoint run, each with a loop and files of its own.
 */
async function filesOfUsed(daemon: ProbedDaemon): Promise<number> {
  const connection = await connectDaemon({ url: daemon.url, apiKey: KEY });
  const session = await connection.createSession({ cwd: daemon.workspace });
  const prompt = `say ${"hello ".repeat(20_000)}`;
  const talk = async () => {
    while (!threadsRun(daemon.pid)) for await (const event of session.stream(prompt)) void event;
  };
  await within(60_000, talk());
  await session.close();
  await connection.close();
  await delay(500);
  return openFiles(daemon.pid);
}

function threadsRun(daemonPid: number): boolean {
  const paths = openPaths(daemonPid);
  const isCheckpointed = paths.filter((path) => path.endsWith("/daemon.db")).length > 1;
  return isCheckpointed && paths.some((path) => path.endsWith("/search.db"));
}

/** Closes all sessions and connections, and waits until the daemon has released their resources. */
async function closed(daemon: ProbedDaemon, filesBefore: number): Promise<string> {
  const deadline = performance.now() + SETTLE_MS;
  while (openFiles(daemon.pid) > filesBefore && performance.now() < deadline) await delay(50);
  const files = openFiles(daemon.pid);
  assert.ok(files <= filesBefore, `descriptors of the daemon: ${filesBefore} before, ${files} after`);
  return `descriptors of the daemon ${filesBefore} → ${files}`;
}
