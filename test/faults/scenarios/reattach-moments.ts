import assert from "node:assert/strict";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { ChaosProxy } from "@daemon-sdk/testing/node";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { ended } from "../support/daemon-home.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { PositionedDial } from "../support/positioned-dial.js";

/** Survives the daemon, unlike its token. */
const KEY = "fk-a-key-that-stays-the-same";
const SESSIONS = 9;
/** A stream that has not ended by then never will: a turn takes a few milliseconds. */
const HANGS_MS = 15_000;
/** There are about 50. */
const MOST_MOMENTS = 200;
/** How far past the last answer of the re-attach a stream may begin and still find something unfinished. */
const AFTERWARDS = 4;

/** Z5: streams that begin while sessions are attached again. */
export const reattachMomentScenarios: readonly FaultScenario[] = [
  {
    id: "Z5",
    title: "a stream or a listener that begins at any moment of a re-attach gets all of its turn",
    isQuick: true,
    limitMs: 300_000,
    async run(context) {
      await using ground = await Ground.open(context);
      const [mostCuts, mostKills] = [context.count(MOST_MOMENTS, 2), context.isSample ? 1 : MOST_MOMENTS];
      const cuts = await streamAtEveryMoment(ground, () => ground.cut(), mostCuts, context);
      const kills = await streamAtEveryMoment(ground, () => ground.kill(), mostKills, context);
      return `${cuts} moments after a cut, ${kills} after a kill of the daemon, ${SESSIONS} turns at each: all of them whole, 0 hang`;
    },
  },
];

/** A moment of a re-attach: the message of that number passes, and its receiver has or has not got it. */
interface Moment {
  readonly message: number;
  readonly isTaken: boolean;
}

/** At each moment all sessions begin a stream; `most` of the moments, chosen at random, where there are more. */
async function streamAtEveryMoment(
  ground: Ground,
  lose: () => Promise<void>,
  most: number,
  context: FaultContext,
): Promise<number> {
  const length = await ground.lengthOfReattach(lose);
  assert.ok(length >= SESSIONS * 2, `${SESSIONS} sessions were attached again in ${length} messages`);
  const moments = Array.from({ length: length + AFTERWARDS }, (_none, message) => [
    { message, isTaken: false },
    { message, isTaken: true },
  ]).flat();
  while (moments.length > most) moments.splice(context.below(moments.length), 1);
  for (const moment of moments) {
    await ground.streamAt(moment, lose).catch((error: unknown) => {
      const place = `message ${moment.message} of ${length} ${moment.isTaken ? "taken" : "on its way"}`;
      throw new Error(`streams that began with ${place}: ${String(error)}`, { cause: error });
    });
  }
  return moments.length;
}

/** How the events of a turn are read. Whoever reads nothing has granted no credit when sessions are attached again. */
type Reader = "a listener from before" | "a stream alone" | "a listener of that moment";
const READERS: readonly Reader[] = ["a listener from before", "a stream alone", "a listener of that moment"];

/** What a session's listener was told since the last question. */
class Listener {
  readonly stop: () => void;
  #text = "";
  #ends = 0;
  #changed = () => {};

  constructor(session: DaemonSession) {
    this.stop = session.onNotification(({ type, textDelta }) => {
      if (type === "assistant_text_delta") this.#text += String(textDelta);
      if (type === "agent_turn_completed") this.#ends += 1;
      this.#changed();
    });
  }

  /** The text of the turn that has ended since, or ends. */
  async turn(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#changed = () => this.#ends > 0 && resolve();
      this.#changed();
    });
    assert.equal(this.#ends, 1, "the turn ended once");
    const text = this.#text;
    this.#text = "";
    this.#ends = 0;
    return text;
  }
}

/** A daemon, and a client behind a proxy with some sessions that were used before. */
class Ground implements AsyncDisposable {
  #daemon: ForegroundDaemon;
  readonly #first: ForegroundDaemon;
  readonly #proxy: ChaosProxy;
  readonly #dial: PositionedDial;
  readonly #connection: DaemonConnection;
  readonly #sessions: readonly DaemonSession[];
  readonly #listeners = new Map<DaemonSession, Listener>();
  readonly #context: FaultContext;
  #turns = 0;

  private constructor(
    daemon: ForegroundDaemon,
    parts: { proxy: ChaosProxy; dial: PositionedDial; connection: DaemonConnection; sessions: DaemonSession[] },
    context: FaultContext,
  ) {
    this.#daemon = daemon;
    this.#first = daemon;
    this.#proxy = parts.proxy;
    this.#dial = parts.dial;
    this.#connection = parts.connection;
    this.#sessions = parts.sessions;
    for (let index = 0; index < SESSIONS; index += READERS.length) {
      const session = parts.sessions[index];
      if (session !== undefined) this.#listeners.set(session, new Listener(session));
    }
    this.#context = context;
  }

  static async open(context: FaultContext): Promise<Ground> {
    const daemon = await startForeground({ config: { apiKeys: [KEY] } });
    const proxy = await ChaosProxy.start({ target: { path: daemon.socketPath }, seed: context.seed });
    const dial = new PositionedDial();
    const url = `ws://127.0.0.1:${proxy.port}`;
    const connection = await connectDaemon({ url, apiKey: KEY, transport: dial.dial });
    const sessions: DaemonSession[] = [];
    for (let count = 0; count < SESSIONS; count += 1) {
      sessions.push(await connection.createSession({ cwd: daemon.workspace }));
    }
    const ground = new Ground(daemon, { proxy, dial, connection, sessions }, context);
    await ground.#streamAll();
    return ground;
  }

  /** Loses the link, and not the daemon. */
  async cut(): Promise<void> {
    this.#proxy.cutAll();
  }

  /** Loses the daemon, and with it the agents and the link; another one is started in its place. */
  async kill(): Promise<void> {
    await ended(this.#daemon.pid, "SIGKILL");
    const { stateDir } = this.#daemon;
    this.#daemon = await startForeground({ stateDir, config: { apiKeys: [KEY] } });
  }

  /** Messages on the new link up to the last answer to a `resume_session`. */
  async lengthOfReattach(lose: () => Promise<void>): Promise<number> {
    const asked = new Set<unknown>();
    let answered = 0;
    let messages = 0;
    const whole = new Promise<number>((resolve) => {
      this.#dial.onMessage = ({ isSent, method = "", text }) => {
        const { id } = JSON.parse(text) as { id?: string };
        messages += 1;
        if (isSent && /resume_session|load_session/.test(method)) asked.add(id);
        if (!isSent && asked.has(id)) answered += 1;
        if (answered === SESSIONS) resolve(messages);
      };
    });
    await lose();
    const length = await within(HANGS_MS * this.#context.slowness, whole);
    this.#dial.onMessage = undefined;
    await this.#streamAll();
    return length;
  }

  /** Loses the link, and begins a stream of each session at that moment of what follows. */
  async streamAt({ message, isTaken }: Moment, lose: () => Promise<void>): Promise<void> {
    let passed = 0;
    const streams = new Promise<void>((resolve) => {
      this.#dial.onMessage = () => {
        if (passed++ !== message) return;
        this.#dial.onMessage = undefined;
        if (isTaken) setImmediate(() => resolve(this.#streamAll()));
        else resolve(this.#streamAll());
      };
    });
    const lost = lose();
    // Where the re-attach is over before that many messages, a call makes the missing ones.
    const asked = (async () => {
      await lost;
      while (this.#dial.onMessage !== undefined) await this.#connection.listOpenedSessions();
    })();
    await within(HANGS_MS * this.#context.slowness, Promise.all([streams, asked, lost]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
    await this.#proxy.close();
    if (this.#daemon !== this.#first) await this.#daemon.stop();
    await this.#first[Symbol.asyncDispose]();
  }

  async #streamAll(): Promise<void> {
    this.#turns += 1;
    await Promise.all(this.#sessions.map((session, index) => this.#readTurn(session, index)));
  }

  async #readTurn(session: DaemonSession, index: number): Promise<void> {
    const reader = READERS[index % READERS.length];
    const words = `turn ${this.#turns} of ${index}`;
    if (reader === "a listener of that moment") {
      const listener = new Listener(session);
      await session.send(`say ${words}`);
      assert.equal(await listener.turn(), words, reader);
      return listener.stop();
    }
    assert.deepEqual(await streamed(session, words), { text: words, others: ["result completed"] }, reader);
    const listener = this.#listeners.get(session);
    if (listener !== undefined) assert.equal(await listener.turn(), words, reader);
  }
}

/** The text of a turn as its stream gives it, and the gaps and results in it. */
async function streamed(session: DaemonSession, words: string): Promise<{ text: string; others: string[] }> {
  let text = "";
  const others: string[] = [];
  for await (const event of session.stream(`say ${words}`, { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") text += event.text;
    if (event.type === "gap" || event.type === "result") others.push(`${event.type} ${event.reason}`);
  }
  return { text, others };
}
