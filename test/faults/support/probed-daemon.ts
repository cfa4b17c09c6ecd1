import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DAEMON_PROGRAM } from "../../support/daemon-process.js";
import type { Message } from "../roles/role.js";

const POLL_MS = 10;

/**
 * Runs in the daemon before the daemon: shifts its wall clock when told to, its timers and its monotonic clock stay; and collects
 * its garbage before it tells its memory. The channel does not hold the process.
 */
const PROBE = `
  let shift = Number(process.env.FAULTS_CLOCK_SHIFT_MS ?? 0);
  const Real = Date;
  globalThis.Date = class Date extends Real {
    constructor(...given) { given.length === 0 ? super(Real.now() + shift) : super(...given); }
    static now() { return Real.now() + shift; }
  };
  process.on("message", async ({ shiftMs, memory }) => {
    if (shiftMs !== undefined) shift = shiftMs;
    for (let turn = 0; memory && turn < 4; turn += 1) {
      gc();
      await new Promise((again) => setTimeout(again, 30));
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    process.send({ now: Date.now(), rss, heapUsed, external });
  });
  process.channel.unref();
`;

/** Memory of a daemon after garbage collection, in bytes. */
export interface DaemonMemory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/**
 * Lets the memory of a process follow what it holds: a small nursery is collected often, and the allocator gives back at once what
 * was freed. With the defaults both keep what they ever needed for a moment, and grow for minutes without anything being held.
 */
export const TIGHT_MEMORY = {
  execArgv: ["--max-semi-space-size=1", "--compact-on-every-full-gc"],
  env: { MALLOC_ARENA_MAX: "1", MALLOC_TRIM_THRESHOLD_: "65536", MALLOC_MMAP_THRESHOLD_: "65536" },
} as const;

/** How the process of a {@link ProbedDaemon} is started, beside its own arguments. */
export interface ProbedProcess {
  /** Flags of Node. */
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A state directory, and the daemon in it: it may be killed and started again, and be asked about itself. */
export class ProbedDaemon implements AsyncDisposable {
  readonly stateDir: string;
  readonly socketPath: string;
  readonly workspace: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "probed-"));
  readonly #process: ProbedProcess;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();

  /** @param config what its `config.json` says */
  constructor(config: object = {}, process: ProbedProcess = {}) {
    this.#process = process;
    this.stateDir = join(this.#directory, "state");
    this.socketPath = join(this.stateDir, "daemon.sock");
    this.workspace = join(this.#directory, "work");
    mkdirSync(this.workspace);
    mkdirSync(this.stateDir, { mode: 0o700 });
    writeFileSync(join(this.stateDir, "config.json"), JSON.stringify(config), { mode: 0o600 });
  }

  static async start(config?: object, process?: ProbedProcess): Promise<ProbedDaemon> {
    const daemon = new ProbedDaemon(config, process);
    await daemon.start();
    return daemon;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#endpoint().port}`;
  }

  get token(): string {
    return readFileSync(join(this.stateDir, "token"), "utf8").trim();
  }

  /** What it wrote into its log. */
  get log(): string {
    const path = join(this.stateDir, "daemon.log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Starts it, its wall clock that much ahead of the computer's; resolves when it can be found. */
  async start({ shiftMs = 0 }: { readonly shiftMs?: number } = {}): Promise<void> {
    const probe = `data:text/javascript,${encodeURIComponent(PROBE)}`;
    const flags = ["--expose-gc", "--import", probe, ...(this.#process.execArgv ?? [])];
    const args = [...flags, DAEMON_PROGRAM, "start", "--foreground", "--port", "0"];
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: {
        ...process.env,
        ...this.#process.env,
        DAEMON_SDK_HOME: this.stateDir,
        FAULTS_CLOCK_SHIFT_MS: String(shiftMs),
      },
    });
    this.#child = child;
    this.#exited = once(child, "exit");
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    while (this.#endpoint().pid !== child.pid) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The daemon ended early: ${said}`);
      await delay(POLL_MS);
    }
  }

  /** Stops the daemon; resolves with its exit code. Its state is kept. */
  async end(...signals: readonly NodeJS.Signals[]): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    for (const signal of signals) child.kill(signal);
    await this.#exited;
    return child.exitCode;
  }

  /** Its memory, its garbage collected. */
  memory(): Promise<DaemonMemory> {
    return this.#ask<DaemonMemory>({ memory: true });
  }

  /** From now on its wall clock is that much ahead of the computer's. */
  async shiftClock(shiftMs: number): Promise<void> {
    const { now } = await this.#ask<{ now: number }>({ shiftMs });
    if (Math.abs(now - Date.now() - shiftMs) > 60_000) throw new Error("The daemon's clock was not shifted.");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const isRunning = this.#child?.exitCode === null && this.#child.signalCode === null;
    // Two kinds: the second signal says that running turns need not finish.
    if (isRunning) await this.end("SIGTERM", "SIGINT");
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #ask<Answer>(question: Message): Promise<Answer> {
    const child = this.#child;
    if (child === undefined) throw new Error("The daemon does not run.");
    const answer = once(child, "message");
    child.send(question);
    return (await Promise.race([answer, this.#exited.then(() => [{}])]))[0] as Answer;
  }

  #endpoint(): { readonly pid?: number; readonly port?: number } {
    try {
      return JSON.parse(readFileSync(join(this.stateDir, "endpoint.json"), "utf8")) as { pid: number; port: number };
    } catch {
      return {};
    }
  }
}
