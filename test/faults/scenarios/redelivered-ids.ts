import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectDaemon, type DaemonConnection, type DaemonSession, type DroidStreamEvent } from "@daemon-sdk/client";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { ended } from "../support/daemon-home.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";

/** Survives the daemon, unlike its token. */
const KEY = "fk-a-key-that-stays-the-same";
/** A stream that has not ended by then never will. */
const HANGS_MS = 20_000;
/** A file of the workspace. */
const RELEASE = "released";
/** A delta of `count`. */
const NUMBER = /^\s*\d+\s*$/;
const AUTONOMY = { autonomyLevel: "high" } as const;

/** Z6: messages that are sent again under their `messageId`. */
export const redeliveredIdScenarios: readonly FaultScenario[] = [
  {
    id: "Z6",
    title: "a message sent again under its id yields its turn, from its beginning to its end, and acts once",
    isQuick: true,
    limitMs: 300_000,
    async run(context) {
      const figures = [];
      const states = context.some(
        STATES.filter(({ isSlow }) => !(isSlow && context.isSample)),
        3,
      );
      for (const state of states) figures.push(await redeliverIn(state, context));
      return `${figures.join(", ")}: each told whole, ended once, acted on once`;
    },
  },
];

/** Who sends the message again. */
type Way = "its own session" | "another connection" | "run()";

/** A state in which a message is sent again. */
interface State {
  readonly name: string;
  readonly ways: readonly Way[];
  /** How long the turn counts: 5 ms a number. */
  readonly count?: number;
  /** What the agent does behind counting. */
  readonly command?: string;
  /** Reason of the turn's end, where it does not complete. */
  readonly reason?: string;
  /** Whether the agent has to ask before it acts. */
  readonly asks?: boolean;
  /** Whether a `gap` and the messages stand for the events. */
  readonly isPruned?: boolean;
  /** Whether it takes too long for a sample. */
  readonly isSlow?: boolean;
  /** Brings the message there. */
  arrive(delivery: Delivery): Promise<void>;
  /** Lets its turn go on, when it has been sent again. */
  goOn?(delivery: Delivery): Promise<void>;
}

const ALL_WAYS: readonly Way[] = ["its own session", "another connection", "run()"];
const OTHERS: readonly Way[] = ["another connection", "run()"];
const LONG = 80;
/** More than a journal keeps of any age: 64 MiB. */
const LOUD = "stream 144 of 500000";

const STATES: readonly State[] = [
  { name: "running", ways: ALL_WAYS, count: LONG, arrive: (delivery) => delivery.begins() },
  {
    name: "waiting behind another turn",
    ways: ALL_WAYS,
    arrive: (delivery) => delivery.waits(),
    goOn: async (delivery) => delivery.release(),
  },
  {
    name: "waiting for a permission",
    ways: ALL_WAYS,
    asks: true,
    arrive: (delivery) => delivery.isAsked(),
    goOn: async (delivery) => delivery.permit(),
  },
  { name: "completed", ways: ALL_WAYS, arrive: (delivery) => delivery.ends() },
  {
    name: "interrupted",
    ways: ALL_WAYS,
    count: LONG * 10,
    reason: "cancelled",
    async arrive(delivery) {
      await delivery.begins();
      await delivery.session.interrupt();
      await delivery.end;
    },
  },
  {
    name: "ended with its agent",
    ways: ALL_WAYS,
    command: "run kill -9 $PPID",
    reason: "agent_exited",
    arrive: (delivery) => delivery.ends(),
  },
  {
    name: "in a closed session",
    ways: OTHERS,
    async arrive(delivery) {
      await delivery.ends();
      await delivery.session.close();
    },
  },
  {
    name: "no longer in the journal",
    ways: ALL_WAYS,
    isPruned: true,
    isSlow: true,
    async arrive(delivery) {
      await delivery.ends();
      await delivery.turn(LOUD);
      // A journal is looked at once a second, when something comes.
      await delivery.turn("count 120 every 10 ; then stream 3000");
    },
  },
  {
    name: "running when the daemon was killed",
    ways: OTHERS,
    count: LONG * 10,
    reason: "daemon_restarted",
    async arrive(delivery) {
      await delivery.begins();
      await delivery.restart();
    },
  },
  {
    name: "waiting when the daemon was killed",
    ways: OTHERS,
    async arrive(delivery) {
      await delivery.waits();
      await delivery.restart();
    },
  },
];

async function redeliverIn(state: State, context: FaultContext): Promise<string> {
  // A daemon for each: a sample has one way to a state.
  const ways = context.isSample ? state.ways.slice(context.below(state.ways.length)).slice(0, 1) : state.ways;
  for (const way of ways) {
    await using delivery = await Delivery.open(state);
    const again = async () => {
      await state.arrive(delivery);
      const told = delivery.again(way);
      // When the daemon has answered another call on that connection, it has the message, too.
      await delivery.hasArrived();
      await state.goOn?.(delivery);
      return await told;
    };
    const events = await within(HANGS_MS * context.slowness, again()).catch((error: unknown) => {
      throw new Error(`${state.name}, ${way}: ${String(error)}`, { cause: error });
    });
    delivery.judge(events, `${state.name}, ${way}`);
  }
  return `${state.name} × ${ways.length}`;
}

/** A message that acts, counts and says something, in a session of a daemon of its own. */
class Delivery implements AsyncDisposable {
  readonly #state: State;
  readonly #id = crypto.randomUUID();
  readonly #connections: DaemonConnection[] = [];
  readonly #told: string[] = [];
  readonly #daemons: ForegroundDaemon[];
  #session: DaemonSession | undefined;
  #changed = () => {};
  #hasEnded = false;
  #asked = () => {};
  #permit: (answer: "proceed_once") => void = () => {};
  readonly #isAsked = new Promise<void>((resolve) => {
    this.#asked = resolve;
  });

  private constructor(state: State, daemon: ForegroundDaemon) {
    this.#state = state;
    this.#daemons = [daemon];
  }

  static async open(state: State): Promise<Delivery> {
    const delivery = new Delivery(state, await startForeground({ config: { apiKeys: [KEY] } }));
    const connection = await delivery.#connect();
    const session = await connection.createSession({
      cwd: delivery.#daemon.workspace,
      ...(state.asks ? {} : AUTONOMY),
      permissionHandler: () => {
        delivery.#asked();
        return new Promise<"proceed_once">((resolve) => {
          delivery.#permit = resolve;
        });
      },
    });
    session.onNotification((notification) => delivery.#take(notification));
    delivery.#session = session;
    return delivery;
  }

  get session(): DaemonSession {
    assert.ok(this.#session);
    return this.#session;
  }

  /** When the turn has ended. */
  get end(): Promise<void> {
    return this.#until(() => this.#hasEnded);
  }

  /** Sends the message; its turn has told something. */
  async begins(): Promise<void> {
    await this.session.send(this.#prompt, { messageId: this.#id });
    await this.#until(() => this.#told.length > 3);
  }

  /** Sends it behind another turn, which ends when it is released. */
  async waits(): Promise<void> {
    await this.session.send(`count 4 every 5 ; then run while [ ! -e ${RELEASE} ]; do sleep 0.01; done`);
    await this.#until(() => this.#told.length > 3);
    await this.session.send(this.#prompt, { messageId: this.#id });
  }

  /** Sends it; the agent has asked whether it may act. */
  async isAsked(): Promise<void> {
    await this.session.send(this.#prompt, { messageId: this.#id });
    await this.#isAsked;
  }

  /** Lets the turn end that the message waits behind. */
  release(): void {
    writeFileSync(join(this.#daemon.workspace, RELEASE), "");
  }

  permit(): void {
    this.#permit("proceed_once");
  }

  async ends(): Promise<void> {
    await this.session.send(this.#prompt, { messageId: this.#id });
    await this.end;
  }

  /** Another turn, to its end. */
  async turn(prompt: string): Promise<void> {
    for await (const event of this.session.stream(prompt)) assert.notEqual(event.type, "gap");
  }

  /** Kills the daemon and starts the next one. */
  async restart(): Promise<void> {
    const { pid, stateDir } = this.#daemon;
    for (const connection of this.#connections.splice(0)) await connection.close();
    await ended(pid, "SIGKILL");
    this.#daemons.push(await startForeground({ stateDir, config: { apiKeys: [KEY] } }));
  }

  /** The same message again, and what is told of its turn. */
  async again(way: Way): Promise<DroidStreamEvent[]> {
    const { sessionId } = this.session;
    const options = { messageId: this.#id, includePartialMessages: true };
    const events: DroidStreamEvent[] = [];
    const connection = way === "its own session" ? undefined : await this.#connect();
    if (way === "run()") {
      const onEvent = (event: DroidStreamEvent) => events.push(event);
      const cwd = this.#daemon.workspace;
      const given = this.#state.asks ? {} : AUTONOMY;
      const result = await connection?.run(this.#prompt, { ...options, ...given, cwd, sessionId, onEvent });
      return [...events, ...(result === undefined ? [] : [result])];
    }
    const session = connection === undefined ? this.session : await connection.resumeSession(sessionId);
    for await (const event of session.stream(this.#prompt, options)) events.push(event);
    return events;
  }

  /** Resolves when a message that was sent before is at the daemon, on whichever connection. */
  async hasArrived(): Promise<void> {
    for (let calls = 0; calls < 10; calls += 1) {
      for (const connection of this.#connections) await connection.listOpenedSessions();
    }
  }

  /** Throws unless that is the turn of the message, whole, and the agent acted once. */
  judge(events: readonly DroidStreamEvent[], where: string): void {
    const { reason = "completed", isPruned = false } = this.#state;
    const results = events.flatMap((event) => (event.type === "result" ? [event] : []));
    assert.deepEqual(
      results.map((result) => result.reason),
      [reason],
      where,
    );
    assert.equal(events.at(-1)?.type, "result", where);
    assert.equal(events.filter(({ type }) => type === "gap").length, isPruned ? 1 : 0, `${where}: gaps`);
    const words = events.flatMap((event) => (event.type === "assistant_text_delta" ? [event.text] : []));
    const numbers = words.filter((word) => NUMBER.test(word)).map(Number);
    if (!isPruned) {
      assert.ok(numbers.length > 2, `${where}: ${numbers.length} numbers were told`);
      assert.deepEqual(
        numbers,
        [...numbers.keys()].map((index) => index + 1),
        `${where}: from the beginning, in order`,
      );
    }
    if (reason === "completed") {
      assert.equal(results[0]?.text.includes(`done ${this.#id}`), true, `${where}: the answer is ${results[0]?.text}`);
      if (!isPruned) assert.equal(numbers.length, this.#count, `${where}: all numbers`);
    }
    const acts = readFileSync(join(this.#daemon.workspace, "acts.txt"), "utf8").split("\n").filter(Boolean);
    assert.deepEqual(acts, [this.#id], `${where}: what the agent wrote`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) await connection.close();
    for (const daemon of this.#daemons.slice(1)) await daemon.stop();
    await this.#daemons[0]?.[Symbol.asyncDispose]();
  }

  get #daemon(): ForegroundDaemon {
    const daemon = this.#daemons.at(-1);
    assert.ok(daemon);
    return daemon;
  }

  get #count(): number {
    return this.#state.count ?? 10;
  }

  get #prompt(): string {
    const { command } = this.#state;
    const last = [...(command === undefined ? [] : [command]), `say done ${this.#id}`];
    return [`append acts.txt: ${this.#id}\\n`, `count ${this.#count} every 5`, ...last].join(" ; then ");
  }

  async #connect(): Promise<DaemonConnection> {
    const connection = await connectDaemon({ url: this.#daemon.url, apiKey: KEY });
    this.#connections.push(connection);
    return connection;
  }

  #take({ type, textDelta, turnId }: Record<string, unknown>): void {
    if (type === "assistant_text_delta" && NUMBER.test(String(textDelta))) this.#told.push(String(textDelta));
    if (type === "agent_turn_completed" && turnId === this.#id) this.#hasEnded = true;
    this.#changed();
  }

  #until(isReached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => isReached() && resolve();
      this.#changed();
    });
  }
}
