import { FACTORY_API_VERSION, JSONRPC_VERSION, newId, ProtocolError } from "@daemon-sdk/protocol";
import { PATIENCE_MS, violated, type WireFrame, within } from "../../contract/index.js";
import type { AgentHarness } from "./agent-harness.js";
import type { AgentExit, AgentProcess } from "./agent-process.js";

/** The daemon's side of one agent process: writes and reads lines. It stores all received frames, and sends nothing by itself. */
export class AgentLine {
  readonly frames: WireFrame[] = [];
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

  send(body: object): void {
    this.writeRaw(JSON.stringify({ jsonrpc: JSONRPC_VERSION, factoryApiVersion: FACTORY_API_VERSION, ...body }));
  }

  /** Sends a request and returns its id at once. */
  request(method: string, params: object): string {
    const id = newId();
    this.send({ type: "request", id, method: `droid.${method}`, params });
    return id;
  }

  response(id: string, what: string): Promise<WireFrame> {
    return this.waitFor((frame) => frame.type === "response" && frame.id === id, what);
  }

  call(method: string, params: object): Promise<WireFrame> {
    return this.response(this.request(method, params), `the response to ${method}`);
  }

  /** Calls and returns the result. An error response fails the case. */
  async result(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    const { result, error } = await this.call(method, params);
    return result ?? violated(`${method} failed: ${JSON.stringify(error)}`);
  }

  /** The first frame from index `from` on that fits, received already or later. */
  async waitFor(fits: (frame: WireFrame) => boolean, what: string, from = 0): Promise<WireFrame> {
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
      this.frames.push(frame);
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
