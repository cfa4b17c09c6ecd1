import { ProtocolError } from "@daemon-sdk/protocol";
import { PATIENCE_MS, violated, within } from "../../contract/index.js";
import type { AgentHarness } from "./agent-harness.js";
import type { AgentExit, AgentProcess } from "./agent-process.js";

/** The daemon's side of one agent process, whatever the agent speaks: writes and reads lines of JSON, and stores what it received. */
export class ProcessLines<Frame extends object> {
  readonly frames: Frame[] = [];
  /** Lines that are no JSON object. */
  readonly badLines: string[] = [];
  /** Output of the process on stderr. */
  stderr = "";
  readonly exited: Promise<AgentExit>;
  readonly #process: AgentProcess;
  readonly #patienceMs: number;
  readonly #waiters = new Set<() => void>();
  #exit: AgentExit | undefined;

  constructor(harness: AgentHarness) {
    this.#patienceMs = harness.patienceMs ?? PATIENCE_MS;
    this.#process = harness.start();
    this.#process.onStderr = (text) => {
      this.stderr += text;
    };
    this.#process.onLine = (line) => this.#read(line);
    this.exited = new Promise((resolve) => {
      this.#process.onExit = (exit) => this.#ended(exit, resolve);
    });
  }

  /** Writes a text unchanged, as one line. */
  writeRaw(line: string): void {
    this.#process.write(line);
  }

  /** The first frame from index `from` on that fits, received already or later. */
  async waitFor(fits: (frame: Frame) => boolean, what: string, from = 0): Promise<Frame> {
    for (let next = from; ; ) {
      for (; next < this.frames.length; next++) {
        const frame = this.frames[next];
        if (frame !== undefined && fits(frame)) return frame;
      }
      if (this.#exit) violated(`The agent ended (${describe(this.#exit)}) before ${what}. ${this.stderr}`);
      await within(new Promise<void>((resolve) => this.#waiters.add(resolve)), what, this.#patienceMs);
    }
  }

  /** Closes stdin, which makes the agent exit. */
  endInput(): void {
    this.#process.endInput();
  }

  /** The exit of the process, or a failure when it takes too long. */
  exit(): Promise<AgentExit> {
    return within(this.exited, "the end of the process", this.#patienceMs);
  }

  /** Kills the process if it still runs. */
  async kill(): Promise<void> {
    this.#process.kill();
    await this.exited;
  }

  #read(line: string): void {
    try {
      const frame: unknown = JSON.parse(line);
      if (typeof frame !== "object" || frame === null) throw new ProtocolError("PROTOCOL_VIOLATION", "no object");
      this.frames.push(frame as Frame);
    } catch {
      this.badLines.push(line);
    }
    this.#wake();
  }

  #ended(exit: AgentExit, resolve: (exit: AgentExit) => void): void {
    this.#exit = exit;
    resolve(exit);
    this.#wake();
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}

function describe({ code, signal }: AgentExit): string {
  return signal ?? `exit code ${code}`;
}
