import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { workspaceAgentEntry } from "./workspace-agent.js";

/** A frame as it came, unchecked. */
export interface Frame {
  readonly type: string;
  readonly id?: string | null;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { code: number; message: string };
  readonly params?: { notification?: { type: string; [key: string]: unknown } };
}

/** The agent without our driver: lines in, lines out. */
export class WireAgent implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly frames: Frame[] = [];
  readonly exited: Promise<number | null>;
  /** Everything it wrote to stderr. */
  stderr = "";
  #waiting: (() => void)[] = [];

  constructor(env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [workspaceAgentEntry()], { env: { PATH: process.env.PATH, ...env } });
    this.exited = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.stderr.on("data", (chunk) => {
      this.stderr += chunk;
    });
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      this.frames.push(JSON.parse(line));
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  /** Writes text as it is, with a newline behind it. */
  write(text: string): void {
    this.child.stdin.write(`${text}\n`);
  }

  request(id: unknown, method: string, params?: object): void {
    const base = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request" };
    this.write(JSON.stringify({ ...base, id, method: `droid.${method}`, params }));
  }

  async until(match: (frame: Frame) => boolean): Promise<Frame> {
    for (let seen = 0; ; ) {
      for (; seen < this.frames.length; seen++) {
        const frame = this.frames[seen];
        if (frame !== undefined && match(frame)) return frame;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  response(id: string): Promise<Frame> {
    return this.until((frame) => frame.type === "response" && frame.id === id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }
}
