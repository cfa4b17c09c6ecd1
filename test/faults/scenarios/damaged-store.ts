import assert from "node:assert/strict";
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { DatabaseSync } from "@photostructure/sqlite";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { type DaemonHome, daemonHome, ended } from "../support/daemon-home.js";
import { round } from "../support/figures.js";
import { runParts } from "../support/parts.js";

const SESSIONS = 40;
const TEXT = "words that were stored ".repeat(100);
const PAGE_BYTES = 16 * 1024;
const NOTICED_MS = 5_000;
const AFTERWARDS_MS = 2_000;
const SEND_EVERY_MS = 50;
const HANGS_MS = 45_000;

/** Z7: stores that are damaged, deleted or replaced. */
export const damagedStoreScenarios: readonly FaultScenario[] = [
  {
    id: "Z7",
    title: "a damaged store is salvaged or refused with the remedy, and one that is gone acknowledges nothing",
    isQuick: true,
    limitMs: 400_000,
    async run(context) {
      await using home = daemonHome();
      const store = await FilledStore.fill(home, context);
      const parts = context.some(Object.entries(CASES), 2).map(([name, check]) => {
        const run = () => check(store).finally(() => store.stop());
        return [name, run] as const;
      });
      return await runParts(Object.fromEntries(parts));
    },
  },
];

const CASES: Readonly<Record<string, (store: FilledStore) => Promise<string>>> = {
  "a header of garbage": (store) => store.isRefused((path) => overwrite(path, 0, 100)),
  "a directory": (store) =>
    store.isRefused((path) => {
      rmSync(path);
      mkdirSync(path);
    }),
  "a page of garbage": (store) =>
    store.isSalvaged((path) => overwrite(path, (pageOfMessages(path) - 1) * PAGE_BYTES), 0.5),
  "every fifth page of garbage": (store) =>
    store.isSalvaged((path) => {
      for (let page = 3; page < statSync(path).size / PAGE_BYTES; page += 5) overwrite(path, page * PAGE_BYTES);
    }, 0),
  "half of a file": (store) => store.isSalvaged((path) => truncateSync(path, Math.floor(statSync(path).size / 2)), 0),
  "an empty file": (store) => store.isUsed((path) => writeFileSync(path, "")),
  "deleted while it is open": (store) => store.isMissed((path) => rmSync(path)),
  "replaced while it is open": (store) =>
    store.isMissed((path) => {
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
    }),
  "damaged while it is open": (store) =>
    store.isSurvived((path) => {
      for (let page = 3; page < statSync(path).size / PAGE_BYTES; page += 2) overwrite(path, page * PAGE_BYTES);
    }),
};

/** A page with messages: of another one nothing may be read, or it may be free, and then nobody can notice. */
function pageOfMessages(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const pages = database.prepare("SELECT pageno FROM dbstat WHERE name = 'messages' AND pagetype = 'leaf'").all();
    return Number(pages[Math.floor(pages.length / 2)]?.pageno);
  } finally {
    database.close();
  }
}

function overwrite(path: string, offset: number, bytes = PAGE_BYTES): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(bytes, 0x5a), 0, bytes, offset);
  closeSync(file);
}

/** A store with some sessions, which can be had again whole as often as it is damaged. */
class FilledStore {
  readonly #state: string;
  readonly #sessions: number;
  readonly #context: FaultContext;

  private constructor(home: DaemonHome, sessions: number, context: FaultContext) {
    this.#state = home.state;
    this.#sessions = sessions;
    this.#context = context;
  }

  static async fill(home: DaemonHome, context: FaultContext): Promise<FilledStore> {
    mkdirSync(home.state, { mode: 0o700 });
    mkdirSync(join(home.state, "..", "work"));
    writeFileSync(join(home.state, "config.json"), JSON.stringify({ port: 0 }), { mode: 0o600 });
    const store = new FilledStore(home, context.count(SESSIONS, 6), context);
    await using connection = await store.#connect();
    for (let index = 0; index < store.#sessions; index += 1) {
      await connection.run(`say session ${index} ${TEXT}`, { cwd: store.#workspace });
    }
    await store.stop();
    copyFileSync(store.#path, store.#copy);
    return store;
  }

  /** The start fails at once, says what to do, and is not tried again. */
  async isRefused(damage: (path: string) => void): Promise<string> {
    this.#restore();
    damage(this.#path);
    const started = performance.now();
    const error: unknown = await within(HANGS_MS * this.#context.slowness, connectDaemon()).then(
      async (connection) => {
        await connection.close();
        return undefined;
      },
      (failure: unknown) => failure,
    );
    const tookMs = performance.now() - started;
    assert.ok(error instanceof Error, "the start is refused");
    assert.ok(error.message.includes(this.#path), `the file is named: ${error.message}`);
    assert.match(error.message, /\bmv '|backup|move it/i, "the remedy is named");
    assert.equal(Reflect.get(error, "retryable"), false, "it does not help to try again");
    assert.ok(tookMs <= NOTICED_MS * this.#context.slowness, `it failed after ${round(tookMs)} ms`);
    return `refused with the remedy after ${round(tookMs)} ms`;
  }

  /** What is readable is there, the rest is put aside, and the daemon works. */
  async isSalvaged(damage: (path: string) => void, share: number): Promise<string> {
    this.#restore();
    damage(this.#path);
    {
      // What the start did not notice, reading does; the next start repairs it.
      await using connection = await within(HANGS_MS * this.#context.slowness, this.#connect());
      await this.#readable(connection);
    }
    await this.stop();
    await using connection = await within(HANGS_MS * this.#context.slowness, this.#connect());
    const whole = await this.#readable(connection);
    assert.ok(whole >= this.#sessions * share, `${whole} of ${this.#sessions} sessions are whole`);
    const aside = readdirSync(this.#state).filter((name) => /^daemon\.db\.damaged/.test(name));
    assert.ok(aside.length > 0, `the damaged file is kept: ${readdirSync(this.#state).join(", ")}`);
    await this.#works(connection);
    return `${whole} of ${this.#sessions} sessions whole`;
  }

  /** It begins anew. */
  async isUsed(damage: (path: string) => void): Promise<string> {
    this.#restore();
    damage(this.#path);
    await using connection = await within(HANGS_MS * this.#context.slowness, this.#connect());
    await this.#works(connection);
    return "a new store";
  }

  /** Within seconds nothing is acknowledged any more. */
  async isMissed(damage: (path: string) => void): Promise<string> {
    this.#restore();
    await using connection = await this.#connect();
    const session = await connection.createSession({ cwd: this.#workspace });
    assert.equal(await outcomeOf(session), "accepted");
    damage(this.#path);
    const started = performance.now();
    let outcome = await outcomeOf(session);
    while (outcome === "accepted") {
      const tookMs = performance.now() - started;
      assert.ok(
        tookMs <= NOTICED_MS * Math.min(2, this.#context.slowness),
        `messages are acknowledged after ${round(tookMs)} ms`,
      );
      await delay(SEND_EVERY_MS);
      outcome = await outcomeOf(session);
    }
    const noticedMs = performance.now() - started;
    for (; performance.now() - started < noticedMs + this.#context.count(AFTERWARDS_MS); await delay(SEND_EVERY_MS)) {
      assert.equal(outcome, "STORAGE_FAILED", `after ${round(noticedMs)} ms`);
      outcome = await outcomeOf(session);
    }
    return `noticed after ${round(noticedMs)} ms`;
  }

  /** Each call is answered or fails by name, and the daemon lives. */
  async isSurvived(damage: (path: string) => void): Promise<string> {
    this.#restore();
    await using connection = await this.#connect();
    const pid = this.#pid;
    damage(this.#path);
    const whole = await this.#readable(connection);
    await connection.listOpenedSessions();
    assert.equal(this.#pid, pid, "the daemon lives");
    return `${whole} of ${this.#sessions} sessions whole`;
  }

  async stop(): Promise<void> {
    const pid = this.#pid;
    if (pid > 0) await ended(pid, "SIGTERM");
  }

  /** How many sessions are whole. Whatever else is read fails with a typed error that trying again does not mend. */
  async #readable(connection: DaemonConnection): Promise<number> {
    const failed = (error: unknown) => {
      assert.equal(Reflect.get(Object(error), "code"), "STORAGE_FAILED", String(error));
      assert.equal(Reflect.get(Object(error), "retryable"), false);
      return undefined;
    };
    const listed = await connection.listAvailableSessions({ limit: 100 }).catch(failed);
    let whole = 0;
    for (const { sessionId } of listed?.sessions ?? []) {
      const read = await connection.getSessionMessages(sessionId).catch(failed);
      if (read !== undefined && JSON.stringify(read.messages).split(TEXT.trim()).length === 3) whole += 1;
    }
    return whole;
  }

  async #works(connection: DaemonConnection): Promise<void> {
    const { subtype, text, sessionId } = await connection.run("say new words", { cwd: this.#workspace });
    assert.deepEqual({ subtype, text }, { subtype: "success", text: "new words" });
    const { messages } = await connection.getSessionMessages(sessionId);
    assert.equal(messages.length, 2, "what is new is stored");
    await connection.searchSessions({ query: "words" });
  }

  #restore(): void {
    for (const name of readdirSync(this.#state)) {
      if (/^(daemon|search)\.db/.test(name)) rmSync(join(this.#state, name), { recursive: true });
    }
    copyFileSync(this.#copy, this.#path);
  }

  #connect(): Promise<DaemonConnection> {
    process.env.DAEMON_SDK_HOME = this.#state;
    return connectDaemon();
  }

  get #path(): string {
    return join(this.#state, "daemon.db");
  }

  get #copy(): string {
    return join(this.#state, "..", "good.db");
  }

  get #workspace(): string {
    return join(this.#state, "..", "work");
  }

  get #pid(): number {
    try {
      return Number((JSON.parse(readFileSync(join(this.#state, "endpoint.json"), "utf8")) as { pid: number }).pid);
    } catch {
      return 0;
    }
  }
}

async function outcomeOf(session: DaemonSession): Promise<unknown> {
  return await session.send("say it").then(
    () => "accepted",
    (error: unknown) => Reflect.get(Object(error), "code") ?? String(error),
  );
}
