import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
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
const MIB = 2 ** 20;
/** What an attack may take until all of it was answered or refused. */
const ATTACK_MS = 60_000;

/** Z2: one configured key that does what it can against the person whose daemon it is. */
export const hostileKeyScenarios: readonly FaultScenario[] = [
  {
    id: "Z2",
    title: "whatever one key does, the person's calls are answered in time, and the daemon does not grow",
    limitMs: 900_000,
    cannotRun: withoutProc,
    async run(context) {
      // Each has a daemon of its own, and large messages: a sample has some of them.
      const attacks = Object.entries(ATTACKS).filter(([name]) => !context.isSample || IN_SAMPLE.has(name));
      const parts = attacks.map(([name, attack]) => [name, () => attacked(attack, context)] as const);
      return await runParts(Object.fromEntries(parts));
    },
  },
];

/** What one key does. Its calls may be refused, and its connection closed. */
type Attack = (key: Attacker, context: FaultContext) => Promise<void>;

const ATTACKS: Readonly<Record<string, Attack>> = {
  "pipelined reads": async (key, context) => {
    const sessionId = await key.session();
    await key.turn(sessionId, `messages ${context.count(100, 20)} ${MIB}`);
    await key.atOnce(context.count(100, 40), "get_session_messages", () => ({ sessionId, limit: 100 }));
  },
  "reads that it does not take": async (key, context) => {
    const sessionId = await key.session();
    await key.turn(sessionId, `messages ${context.count(100, 20)} ${MIB}`);
    await key.unread(context.count(100, 40), "get_session_messages", () => ({ sessionId, limit: 100 }));
  },
  "a queue of large prompts": async (key, context) => {
    const sessionId = await key.session();
    await key.call("add_user_message", { sessionId, text: "hang", messageId: crypto.randomUUID() });
    const text = "q".repeat(15 * MIB);
    for (let prompt = 0; prompt < context.count(40, 6); prompt += 1) {
      await key.call("add_user_message", { sessionId, text, messageId: crypto.randomUUID() });
    }
    await key.call("load_session", { sessionId, token: "", inbox: true });
    await key.call("interrupt_session", { sessionId });
  },
  "searches for many words": async (key, context) => {
    const sessionId = await key.session();
    await key.turn(sessionId, `messages ${context.count(2_000, 200)} 2000 function`);
    const words = Array.from({ length: 10_000 }, (_none, index) => `q${index.toString(36)}`).join(" ");
    await key.atOnce(50, "search_sessions", () => ({ query: words }));
    await key.atOnce(context.count(2_000, 200), "search_sessions", (index) => ({ query: `function q${index} lorem` }));
  },
  tickets: async (key, context) => {
    await key.atOnce(context.count(20_000, 2_000), "create_ticket", () => ({}));
  },
  "large titles": async (key, context) => {
    for (let index = 0; index < context.count(20, 4); index += 1) {
      const sessionId = await key.session();
      await key.call("rename_session", { sessionId, title: "t".repeat(9 * MIB) });
      await key.turn(sessionId, `title ${9 * MIB}`);
    }
    await key.atOnce(20, "list_available_sessions", () => ({}));
  },
  "forks of a long conversation": async (key, context) => {
    const sessionId = await key.session();
    await key.turn(sessionId, `messages ${context.count(20_000, 1_000)} 200`);
    await key.atOnce(3, "fork_session", () => ({ sessionId }));
  },
  "many agents": async (key, context) => {
    await key.atOnce(context.count(40, 4), "initialize_session", () => key.sessionParams);
  },
  "many permission requests": async (key, context) => {
    const sessionId = await key.session();
    await key.turn(sessionId, `ask ${context.count(100_000, 2_000)} 10 and go on`);
    await key.atOnce(100, "list_requests", () => ({}));
  },
};

const IN_SAMPLE: ReadonlySet<string> = new Set(["pipelined reads", "tickets", "searches for many words"]);

/** One attack on a daemon of its own. */
async function attacked(attack: Attack, context: FaultContext): Promise<string> {
  const config = { ...hostileAgents({ START_MS: "100" }), apiKeys: [KEY] };
  await using daemon = await ProbedDaemon.start(config, TIGHT_MEMORY);
  using person = await Person.open(daemon);
  using key = await Attacker.open(daemon);
  // Code is compiled, and the heap has its size.
  await key.turn(await key.session(), "messages 20 100000");
  await person.pings(() => delay(context.count(QUIET_MS, 300)));
  const quiet = await person.pings(() => delay(context.count(QUIET_MS, 300)));
  const base = (await daemon.memory()).rss;
  const watch = peakOf(daemon.pid);
  let isOver = false;
  const loud = await person.pings(async () => {
    await endsOrLasts(attack(key, context));
    isOver = true;
  });
  const peak = watch.stop();
  assert.ok(isOver);
  await person.works();
  const growth = peak - base;
  const figure = `ping p99 ${round(loud)} ms (quiet ${round(quiet)}), RSS + ${bytes(growth)}`;
  if (!context.isSample) {
    const mark = (SLOWDOWN * quiet + SLACK_MS) * Math.max(1, context.slowness);
    assert.ok(loud <= mark && growth <= GROWTH_BYTES, figure);
  }
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

/** A connection that authenticated with the key. */
class Attacker implements Disposable {
  readonly sessionParams: object;
  readonly #daemon: ProbedDaemon;
  #client: RawClient;

  private constructor(daemon: ProbedDaemon, client: RawClient) {
    this.#daemon = daemon;
    this.#client = client;
    this.sessionParams = { token: "", machineId: "faults", cwd: daemon.workspace, inbox: true };
  }

  static async open(daemon: ProbedDaemon): Promise<Attacker> {
    return new Attacker(daemon, await connectWithKey(daemon));
  }

  /** A call that may be refused; on a connection that is there, for the last one may have been closed. */
  async call(method: string, params: object): Promise<void> {
    const { error } = await this.#client.call(method, params);
    if (error?.code === 0) this.#client = await connectWithKey(this.#daemon);
  }

  async session(): Promise<string> {
    const { result, error } = await this.#client.call("initialize_session", this.sessionParams);
    assert.equal(error, undefined, `a session of the key: ${error?.message}`);
    return String(result?.sessionId);
  }

  /** One turn to its end. */
  async turn(sessionId: string, text: string): Promise<void> {
    const messageId = crypto.randomUUID();
    const client = this.#client;
    const end = new Promise<void>((resolve) => {
      void client.closed.then(() => resolve());
      client.onFrame = ({ params }) => {
        const { type, turnId } = (params?.notification ?? {}) as { type?: string; turnId?: string };
        if (type === "agent_turn_completed" && turnId === messageId) resolve();
      };
    });
    const { error } = await client.call("add_user_message", { sessionId, text, messageId });
    if (error === undefined) await end;
    client.onFrame = undefined;
  }

  /** So many calls in one write, and all of their answers. */
  async atOnce(count: number, method: string, params: (index: number) => object): Promise<void> {
    await Promise.all(Array.from({ length: count }, (_none, index) => this.#client.call(method, params(index))));
  }

  /** The same, and no answer is taken for a while. */
  async unread(count: number, method: string, params: (index: number) => object): Promise<void> {
    const { socket } = this.#client;
    socket.pause();
    const calls = this.atOnce(count, method, params);
    await delay(2_000);
    socket.resume();
    await calls;
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}

async function connectWithKey(daemon: ProbedDaemon): Promise<RawClient> {
  const client = await RawClient.dial(daemon.url);
  const { error } = await client.call("authenticate", { caller: "faults", apiKey: KEY });
  assert.equal(error, undefined);
  return client;
}

/** Until an attack is over, or has lasted long enough. */
async function endsOrLasts(attack: Promise<void>): Promise<void> {
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
