import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { AgentExit, AgentProcess } from "./agent-process.js";

/** Options of an agent's process. */
export interface SpawnOptions {
  /** Working directory of the process. Default: the present directory. */
  readonly workingDirectory?: string;
  /** Environment variables in addition to `PATH` and `HOME`. A daemon sets `DAEMON_SDK_AGENT_STATE` and others. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A real process of an agent, started as by a daemon: with few variables, and pipes. */
export class SpawnedAgent implements AgentProcess {
  onLine: ((line: string) => void) | undefined;
  onStderr: ((text: string) => void) | undefined;
  onExit: ((exit: AgentExit) => void) | undefined;
  readonly #child: ChildProcessWithoutNullStreams;

  constructor([program, ...args]: readonly [string, ...string[]], { env, workingDirectory }: SpawnOptions) {
    const { PATH = "", HOME = "" } = process.env;
    this.#child = spawn(program, args, { cwd: workingDirectory ?? process.cwd(), env: { PATH, HOME, ...env } });
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.onStderr?.(text));
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.onLine?.(line));
    this.#child.once("error", (error) => {
      this.onStderr?.(error.message);
      this.#ended({ code: 127, signal: null });
    });
    this.#child.once("close", (code, signal) => this.#ended({ code, signal }));
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #ended(exit: AgentExit): void {
    this.onExit?.(exit);
    this.onExit = undefined;
  }
}
