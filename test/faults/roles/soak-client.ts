import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { Ledger, type LedgerClient } from "@daemon-sdk/testing";
import { endWithScenario, type Message, say } from "./role.js";

const WATCHED = 10;
const END_MS = 90_000;
const HEARTBEAT = { intervalMs: 1_000, timeoutMs: 1_000 };

/** What came of all turns so far. */
const totals = { turns: 0, completed: 0, cut: 0, events: 0, reconnects: 0 };
const faults: string[] = [];
let isStopping = false;

/**
 * Two clients under faults: one runs turns in all sessions, the other follows some of them. Every turn has books of its own, so that
 * they cost no memory afterwards. Needs `--expose-gc`. `{ memory: true }` tells memory and totals, `{ stop: true }` ends the turns
 * that run, closes sessions and connections, and tells what is left.
 */
export async function playSoakClient(args: readonly string[]): Promise<void> {
  const [ownerUrl = "", watcherUrl = "", apiKey = "", cwd = "", sessions = "", seed = ""] = args;
  endWithScenario();
  const base = process.getActiveResourcesInfo().sort();
  const onStatus = ({ type }: { type: string }) => {
    if (type === "reconnecting") totals.reconnects += 1;
  };
  const options = { apiKey, heartbeat: HEARTBEAT, onStatus };
  const owner = await connectDaemon({ ...options, url: ownerUrl });
  const watcher = await connectDaemon({ ...options, url: watcherUrl });
  const lives: Promise<void>[] = [];
  for (let index = 0; index < Number(sessions); index += 1) {
    const session = await owner.createSession({ cwd });
    const watched = index < WATCHED ? await watcher.resumeSession(session.sessionId) : undefined;
    const soaked = new SoakedSession(session, watched, Number(seed) + index);
    // Answered after the watcher has begun to follow: what is said before that is not meant for it.
    await watcher.listOpenedSessions();
    lives.push(soaked.live());
  }
  process.on("message", ({ stop }: Message) => {
    isStopping ||= stop === true;
    void (stop === true ? end([owner, watcher], lives, base) : memory()).then(say);
  });
  say({ ready: true });
}

async function end(connections: readonly DaemonConnection[], lives: readonly Promise<void>[], base: readonly string[]) {
  await Promise.all(lives);
  for (const connection of connections) await connection.close();
  await delay(100);
  const left = process.getActiveResourcesInfo().sort();
  const known = [...base];
  for (const handle of left) {
    const at = known.indexOf(handle);
    if (at === -1) faults.push(`A handle is left: ${handle}.`);
    else known.splice(at, 1);
  }
  return { ...totals, faults };
}

async function memory(): Promise<Message> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await delay(20);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heapUsed, ...totals, faults };
}

/** One session, turn after turn. */
class SoakedSession {
  readonly #session: DaemonSession;
  readonly #watched: DaemonSession | undefined;
  #random: number;
  #ledger = new Ledger();
  #turnId = "";
  #watcherEnded = () => {};

  constructor(session: DaemonSession, watched: DaemonSession | undefined, seed: number) {
    this.#session = session;
    this.#watched = watched;
    this.#random = seed;
    session.onNotification((end) => this.#ended("owner", end), { type: "agent_turn_completed" });
    watched?.onNotification((notification) => {
      const { type, textDelta } = notification;
      if (type === "assistant_text_delta") this.#took(this.#book("watcher"), String(textDelta));
      if (type === "agent_turn_completed") this.#ended("watcher", notification);
    });
  }

  async live(): Promise<void> {
    while (!isStopping) {
      await this.#turn().catch((error: unknown) => faults.push(`${this.#session.sessionId}: ${describe(error)}`));
      totals.turns += 1;
    }
    await this.#session.close();
  }

  async #turn(): Promise<void> {
    const { sessionId } = this.#session;
    const count = 10 + this.#below(40);
    this.#ledger = new Ledger();
    this.#turnId = randomUUID();
    this.#ledger.promise(this.#turnId, sessionId);
    for (const name of this.#names) this.#book(name).startsAfter(sessionId, { epoch: 1, seq: 0 });
    const watcherIsDone = new Promise<void>((resolve) => {
      this.#watcherEnded = this.#watched === undefined ? () => {} : resolve;
      if (this.#watched === undefined) resolve();
    });
    const prompt = `count ${count} every ${50 + this.#below(100)}`;
    const options = { messageId: this.#turnId, includePartialMessages: true, idleTimeoutMs: END_MS };
    let subtype = "none";
    for await (const event of this.#session.stream(prompt, options)) {
      if (event.type === "assistant_text_delta") this.#took(this.#book("owner"), event.text);
      // Nothing is pruned in this time, so nothing may be missing.
      if (event.type === "gap") faults.push(`${sessionId}: a gap (${event.reason}).`);
      if (event.type === "result") subtype = event.subtype;
    }
    if (subtype === "success") this.#ledger.head(sessionId, { epoch: 1, seq: count });
    totals[subtype === "success" ? "completed" : "cut"] += 1;
    await Promise.race([watcherIsDone, delay(END_MS, undefined, { ref: false })]);
    faults.push(...this.#ledger.verify());
  }

  get #names(): readonly string[] {
    return this.#watched === undefined ? ["owner"] : ["owner", "watcher"];
  }

  #book(name: string): LedgerClient {
    return this.#ledger.client(name);
  }

  #took(book: LedgerClient, text: string): void {
    totals.events += 1;
    book.took(this.#session.sessionId, { epoch: 1, seq: Number(text) }, { type: "assistant_text_delta", text });
  }

  #ended(name: string, { turnId, reason }: { readonly [key: string]: unknown }): void {
    if (turnId !== this.#turnId) faults.push(`Client ${name}: turn ${String(turnId)} ended (again) in another turn.`);
    this.#book(name).took(this.#session.sessionId, undefined, { type: "agent_turn_completed", turnId, reason });
    if (name === "watcher") this.#watcherEnded();
  }

  /** A small generator of its own: what a session does depends on the seed only. */
  #below(bound: number): number {
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((this.#random / 0x80000000) * bound);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${Reflect.get(error, "code")} ${error.message}` : String(error);
}
