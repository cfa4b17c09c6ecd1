import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { ATTACK_NAMES, type HostileClientOptions } from "../roles/hostile-client.js";
import { RoleProcess } from "../roles/role.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { bytes, quantile, residentBytes, round, withoutProc } from "../support/figures.js";
import { hostileAgents } from "../support/hostile-agent.js";
import { runParts } from "../support/parts.js";
import { ProbedDaemon, TIGHT_MEMORY } from "../support/probed-daemon.js";
import { RawClient } from "../support/raw-client.js";

const KEY = "fk-a-key-that-is-hostile";
const PING_EVERY_MS = 4;
const QUIET_MS = 3_000;
const SLOWDOWN = 2;
const SLACK_MS = 5;
const GROWTH_BYTES = 64 * 2 ** 20;
/** What an attack may take until all of it was answered or refused. */
const ATTACK_MS = 60_000;

/** Z2: one configured key that does what it can against the person whose daemon it is. */
export const hostileKeyScenarios: readonly FaultScenario[] = [
  {
    id: "Z2",
    title: "whatever one key does, the person's calls are answered in time, and the daemon does not grow",
    isQuick: true,
    limitMs: 900_000,
    cannotRun: withoutProc,
    async run(context) {
      // Each has a daemon of its own, and large messages: a sample has some of them.
      const { part, isSample } = context;
      const isMeant = (name: string) => (part === undefined ? !isSample || IN_SAMPLE.has(name) : name.includes(part));
      const attacks = ATTACK_NAMES.filter(isMeant);
      const parts = attacks.map((name) => [name, () => attacked(name, context)] as const);
      return await runParts(Object.fromEntries(parts));
    },
  },
];

/** What a sample holds the mark of memory with: that of time a busy machine may miss. */
const IN_SAMPLE: ReadonlySet<string> = new Set(["a queue of large prompts"]);

/** One attack on a daemon of its own. */
async function attacked(attack: string, context: FaultContext): Promise<string> {
  const config = { ...hostileAgents({ START_MS: "100" }), apiKeys: [KEY] };
  // Not compacted by every collection, as a daemon is not: that holds the loop for some 25 ms, which is what is measured.
  await using daemon = await ProbedDaemon.start(config, { ...TIGHT_MEMORY, execArgv: ["--max-semi-space-size=1"] });
  using person = await Person.open(daemon);
  const { url, workspace } = daemon;
  const options: HostileClientOptions = { url, workspace, apiKey: KEY, scale: context.scale };
  await using key = RoleProcess.start("hostile-client", { args: [JSON.stringify(options)] });
  await key.next();
  await person.pings(() => delay(context.count(QUIET_MS, 300)));
  const quiet = await person.pings(() => delay(context.count(QUIET_MS, 300)));
  const base = (await daemon.memory()).rss;
  const watch = peakOf(daemon.pid);
  let isOver = false;
  const loud = await person.pings(async () => {
    await endsOrLasts(key.ask({ attack }));
    isOver = true;
  });
  const peak = watch.stop();
  assert.ok(isOver);
  await person.works();
  const growth = peak - base;
  const figure = `ping p99 ${round(loud)} ms (quiet ${round(quiet)}), RSS + ${bytes(growth)}`;
  const mark = (SLOWDOWN * quiet + SLACK_MS) * Math.max(1, context.slowness);
  assert.ok((context.isSample || loud <= mark) && growth <= GROWTH_BYTES, figure);
  return figure;
}

/** The person whose daemon it is. */
class Person implements Disposable {
  readonly #daemon: ProbedDaemon;
  readonly #client: RawClient;

  private constructor(daemon: ProbedDaemon, client: RawClient) {
    this.#daemon = daemon;
    this.#client = client;
  }

  static async open(daemon: ProbedDaemon): Promise<Person> {
    return new Person(daemon, await RawClient.connect(daemon.url, daemon.token));
  }

  /** 99 of 100 pings that are sent meanwhile are answered within that time, in ms. */
  async pings(meanwhile: () => Promise<unknown>): Promise<number> {
    const took: number[] = [];
    let isOver = false;
    const end = meanwhile().finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const started = performance.now();
      const { error } = await this.#client.call("ping", {});
      assert.equal(error, undefined, "the person's ping is answered");
      took.push(performance.now() - started);
      await delay(PING_EVERY_MS);
    }
    await end;
    return quantile(took, 0.99);
  }

  /** Throws unless what the key did is nothing to the person. */
  async works(): Promise<void> {
    const calls = [
      ["create_ticket", {}],
      ["list_available_sessions", {}],
      ["list_opened_sessions", {}],
      ["list_requests", {}],
      ["search_sessions", { query: "anything" }],
      ["initialize_session", { token: "", machineId: "faults", cwd: this.#daemon.workspace }],
    ] as const;
    for (const [method, params] of calls) {
      const { error } = await this.#client.call(method, params);
      assert.equal(error, undefined, `${method} of the person: ${error?.message}`);
    }
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

/** Until an attack is over, or has lasted long enough. */
async function endsOrLasts(attack: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  const lasted = delay(ATTACK_MS, undefined, { signal: enough.signal }).catch(() => {});
  await Promise.race([attack, lasted]).finally(() => enough.abort());
}

function peakOf(pid: number) {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid));
  }, 20);
  return {
    stop(): number {
      clearInterval(timer);
      return peak;
    },
  };
}
