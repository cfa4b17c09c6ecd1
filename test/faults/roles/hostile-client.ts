import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { RawClient } from "../support/raw-client.js";
import { endWithScenario, type Message, say } from "./role.js";

const MIB = 2 ** 20;

/** What a {@link playHostileClient} is started with. */
export interface HostileClientOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly workspace: string;
  /** 1 is the full size of an attack. */
  readonly scale: number;
}

/** What one key does. Its calls may be refused, and its connection closed. */
type Attack = (key: Attacker) => Promise<void>;

const ATTACKS: Readonly<Record<string, Attack>> = {
  "pipelined reads": async (key) => {
    const sessionId = await key.session();
    await key.turn(sessionId, `messages ${key.count(100, 20)} ${MIB}`);
    await key.atOnce(key.count(100, 40), "get_session_messages", () => ({ sessionId, limit: 100 }));
  },
  "reads that it does not take": async (key) => {
    const sessionId = await key.session();
    await key.turn(sessionId, `messages ${key.count(100, 20)} ${MIB}`);
    await key.unread(key.count(100, 40), "get_session_messages", () => ({ sessionId, limit: 100 }));
  },
  "a queue of large prompts": async (key) => {
    const sessionId = await key.session();
    await key.call("add_user_message", { sessionId, text: "hang", messageId: crypto.randomUUID() });
    const text = "q".repeat(15 * MIB);
    for (let prompt = 0; prompt < key.count(40, 2); prompt += 1) {
      await key.call("add_user_message", { sessionId, text, messageId: crypto.randomUUID() });
    }
    await key.call("load_session", { sessionId, token: "", inbox: true });
    await key.call("interrupt_session", { sessionId });
  },
  "searches for many words": async (key) => {
    const sessionId = await key.session();
    await key.turn(sessionId, `messages ${key.count(2_000, 200)} 2000 function`);
    const words = Array.from({ length: 10_000 }, (_none, index) => `q${index.toString(36)}`).join(" ");
    await key.atOnce(50, "search_sessions", () => ({ query: words }));
    await key.atOnce(key.count(2_000, 200), "search_sessions", (index) => ({ query: `function q${index} lorem` }));
  },
  tickets: async (key) => {
    await key.atOnce(key.count(20_000, 2_000), "create_ticket", () => ({}));
  },
  "receipts that wait for a turn": async (key) => {
    const sessionId = await key.session();
    const messageId = crypto.randomUUID();
    await key.call("add_user_message", { sessionId, text: "tick 400 4000", messageId });
    const messageIds = [...Array.from({ length: 99 }, () => crypto.randomUUID()), messageId];
    await key.atOnce(key.count(1_000, 200), "get_receipts", () => ({ sessionId, waitMs: 60_000, messageIds }));
  },
  "pings whose answers it does not take": async (key) => {
    await key.unread(key.count(100_000, 5_000), "ping", () => ({}));
  },
  "large titles": async (key) => {
    for (let index = 0; index < key.count(20, 4); index += 1) {
      const sessionId = await key.session();
      await key.call("rename_session", { sessionId, title: "t".repeat(9 * MIB) });
      await key.turn(sessionId, `title ${9 * MIB}`);
    }
    await key.atOnce(20, "list_available_sessions", () => ({}));
  },
  "forks of a long conversation": async (key) => {
    const sessionId = await key.session();
    await key.turn(sessionId, `messages ${key.count(20_000, 1_000)} 200`);
    await key.atOnce(3, "fork_session", () => ({ sessionId }));
  },
  "many agents": async (key) => {
    await key.atOnce(key.count(40, 4), "initialize_session", () => key.sessionParams);
  },
  "many permission requests": async (key) => {
    const sessionId = await key.session();
    await key.turn(sessionId, `ask ${key.count(100_000, 2_000)} 10 and go on`);
    await key.atOnce(100, "list_requests", () => ({}));
  },
};

/** The attacks by name, in the order in which the scenario makes them. */
export const ATTACK_NAMES: readonly string[] = Object.keys(ATTACKS);

/**
 * A client with a key that does what it can: in a process of its own, because making and masking its large messages would hold the
 * loop of whoever is measured beside it. `{ attack }` names what to do; it reports when that is over.
 */
export async function playHostileClient([options = "{}"]: readonly string[]): Promise<void> {
  endWithScenario();
  const key = await Attacker.open(JSON.parse(options) as HostileClientOptions);
  // Code is compiled, and the heap has its size.
  await key.turn(await key.session(), "messages 20 100000");
  process.on("message", ({ attack }: Message) => {
    void ATTACKS[String(attack)]?.(key).then(() => say({ isOver: true }));
  });
  say({ isReady: true });
}

/** A connection that authenticated with the key. */
class Attacker {
  readonly sessionParams: object;
  readonly #options: HostileClientOptions;
  #client: RawClient;

  private constructor(options: HostileClientOptions, client: RawClient) {
    this.#options = options;
    this.#client = client;
    this.sessionParams = { token: "", machineId: "faults", cwd: options.workspace, inbox: true };
  }

  static async open(options: HostileClientOptions): Promise<Attacker> {
    return new Attacker(options, await connectWithKey(options));
  }

  /** A number of the full attack, at the scale of this one. */
  count(full: number, least: number): number {
    return Math.max(least, Math.round(full * this.#options.scale));
  }

  /** A call that may be refused; on a connection that is there, for the last one may have been closed. */
  async call(method: string, params: object): Promise<void> {
    const { error } = await this.#client.call(method, params);
    if (error?.code === 0) this.#client = await connectWithKey(this.#options);
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
}

async function connectWithKey({ url, apiKey }: HostileClientOptions): Promise<RawClient> {
  const client = await RawClient.dial(url);
  const { error } = await client.call("authenticate", { caller: "faults", apiKey });
  assert.equal(error, undefined);
  return client;
}
