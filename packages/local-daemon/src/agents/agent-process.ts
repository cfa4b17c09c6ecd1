import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { AGENT_LIMITS } from "../limits/index.js";
import { secretsOf } from "../redaction.js";
import { underUsersUmask } from "../umask.js";
import type { AgentExit, AgentSpec } from "./agent.js";
import { type AgentProcessEvent, type AgentProcessState, nextProcessState } from "./agent-process.machine.js";
import { sendSignal } from "./marked-processes.js";
import { startTimeOfChild } from "./process-identity.js";
import { processStartError } from "./process-start-error.js";
import { StderrTail } from "./stderr-tail.js";

/** Times of the end of a process; each defaults to the value of `AGENT_LIMITS` in its comment. */
export interface AgentProcessTimings {
  /** From the end of stdin to SIGTERM (`stdinGraceMs`). */
  readonly stdinGraceMs: number;
  /** From SIGTERM to SIGKILL (`termGraceMs`). */
  readonly termGraceMs: number;
  /** From death to the end of its output (`outputMs`). */
  readonly drainMs: number;
}

const DEFAULT_TIMINGS: AgentProcessTimings = {
  stdinGraceMs: AGENT_LIMITS.stdinGraceMs,
  termGraceMs: AGENT_LIMITS.termGraceMs,
  drainMs: AGENT_LIMITS.outputMs,
};

/** What {@link AgentProcess.start} needs. */
export interface AgentProcessOptions {
  readonly spec: AgentSpec;
  readonly cwd: string;
  /** The whole environment; nothing is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly timings?: Partial<AgentProcessTimings>;
  /** Kills what got away from the process group; awaited before the process counts as gone. */
  readonly sweep?: () => Promise<unknown>;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable> & { readonly pid: number };

/** Start time of a process that died before it could be asked; equal to no process. */
const UNKNOWN_START = "unknown";

/**
 * The process of one agent: a group of its own, three pipes and no other descriptor, and one way out.
 *
 * It counts as gone when it is dead, its group is dead, what called `setsid` is dead (Linux), and its output was read.
 */
export class AgentProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when the process itself is dead. Output may still be in the pipe, and must be read on. */
  readonly dead: Promise<void>;
  /** Resolves once, when nothing of it is left. Never rejects. */
  readonly gone: Promise<AgentExit>;

  readonly #child: Child;
  readonly #sweep: (() => Promise<unknown>) | undefined;
  readonly #timings: AgentProcessTimings;
  readonly #stderr: StderrTail;
  #startTime = UNKNOWN_START;
  #state: AgentProcessState = "running";
  #isExpected = false;
  #timer: NodeJS.Timeout | undefined;

  /** Starts the program; rejects with `PROCESS_START_FAILED`, naming the program and what to do. */
  static async start(options: AgentProcessOptions): Promise<AgentProcess> {
    try {
      const started = new AgentProcess(await spawnChild(options), options);
      const startTime = startTimeOfChild(started.pid);
      started.#startTime = (startTime instanceof Promise ? await startTime : startTime) ?? UNKNOWN_START;
      return started;
    } catch (cause) {
      throw await processStartError(options.spec, options.cwd, cause);
    }
  }

  private constructor(child: Child, options: AgentProcessOptions) {
    this.#child = child;
    this.#sweep = options.sweep;
    this.#timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#stderr = new StderrTail(child.stderr, AGENT_LIMITS.stderrBytes, secretsOf(options.env));
    this.pid = child.pid;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    // A write to a dead agent fails with an EPIPE event; without a listener that would end the daemon.
    child.stdin.on("error", () => {});
    child.stdout.on("error", () => {});
    child.on("error", () => {});
    this.dead = new Promise<void>((resolve) => child.once("exit", () => resolve())).then(() => this.#step("exited"));
    this.gone = this.dead.then(() => this.#bury());
  }

  /** When it started, as the kernel states it; with the pid it names the process for ever. */
  get startTime(): string {
    return this.#startTime;
  }

  /** The last bytes that it wrote to stderr, so far. */
  get stderr(): string {
    return this.#stderr.toString();
  }

  /** Where it is on its way out. */
  get state(): AgentProcessState {
    return this.#state;
  }

  /**
   * Ends the process: end of stdin, then SIGTERM, then SIGKILL, each to the whole group, as patient as the timings say.
   * Resolves when it is gone; calling it again waits for the same end.
   *
   * @param reason `asked` (default): the end is what we want. `broken`: its pipes are, so the end counts as unexpected.
   */
  stop(reason: "asked" | "broken" = "asked"): Promise<AgentExit> {
    if (reason === "asked" && this.#state !== "sweeping" && this.#state !== "gone") this.#isExpected = true;
    this.#step("stop");
    return this.gone;
  }

  /** The only place that writes the state; what a state means for the process is done on entering it. */
  #step(event: AgentProcessEvent): void {
    const next = nextProcessState(this.#state, event);
    if (next === undefined) return;
    this.#state = next;
    clearTimeout(this.#timer);
    switch (next) {
      case "closing":
        this.stdin.end();
        this.#wait(this.#timings.stdinGraceMs);
        break;
      case "terminating":
        sendSignal(-this.pid, "SIGTERM");
        this.#wait(this.#timings.termGraceMs);
        break;
      case "killing":
      case "sweeping":
        // In `sweeping` the leader is dead; this is for the members of its group that outlived it.
        sendSignal(-this.pid, "SIGKILL");
        break;
    }
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#step("waited"), ms);
  }

  async #bury(): Promise<AgentExit> {
    await this.#sweep?.();
    await Promise.all([this.#drained(this.stdout), this.#drained(this.#child.stderr)]);
    this.#step("swept");
    return {
      exitCode: this.#child.exitCode,
      signal: this.#child.signalCode,
      stderr: this.#stderr.toString(),
      expected: this.#isExpected,
    };
  }

  /** Waits until a pipe is read to its end; after `drainMs` another process holds it, and it is cut. */
  async #drained(pipe: Readable): Promise<void> {
    if (pipe.closed) return;
    const timer = setTimeout(() => pipe.destroy(), this.#timings.drainMs);
    await new Promise((resolve) => pipe.once("close", resolve));
    clearTimeout(timer);
  }
}

async function spawnChild({ spec, cwd, env }: AgentProcessOptions): Promise<Child> {
  const [program, ...args] = spec.command;
  // `detached` makes it the leader of a group, so that a signal to the group reaches what it starts.
  const options = {
    cwd,
    env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"] as ["pipe", "pipe", "pipe"],
    windowsHide: true,
  };
  const child = underUsersUmask(() => spawn(program, args, options));
  // Rejects with the `error` event, which Node emits for a missing program.
  await once(child, "spawn");
  return child as Child;
}
