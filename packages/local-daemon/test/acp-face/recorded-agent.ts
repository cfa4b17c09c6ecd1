import { PassThrough } from "node:stream";
import { silentLogger } from "@daemon-sdk/protocol";
import type { Agent, AgentEvents, AgentExit, AgentProgram, AgentSpawner, AgentSpec } from "../../src/agents/agent.js";
import { AcpAgent } from "../../src/agents/drivers/acp/index.js";
import { type RecordedFrame, type RecordedLine, versionOf } from "../agents/acp/recording.js";

const EXIT: AgentExit = { exitCode: 0, signal: null, stderr: "", expected: false };

/** One process of the recorded agent, which holds one session of ours. */
class RecordedProcess {
  /** The agent's id of the session; undefined until it is opened. */
  sessionId: unknown;
  isGone = false;
  readonly #stdout = new PassThrough();
  #die: (exit: AgentExit) => void = () => {};

  start(
    sessionId: string,
    protocolVersion: 1 | 2,
    events: AgentEvents,
    onFrame: (frame: RecordedFrame) => void,
  ): Agent {
    const stdin = new PassThrough();
    let text = "";
    stdin.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) onFrame(JSON.parse(line));
    });
    const gone = new Promise<AgentExit>((resolve) => {
      this.#die = resolve;
    });
    const stop = () => {
      this.exit();
      return gone;
    };
    return new AcpAgent({
      spec: { name: "recorded", command: ["recorded"], protocolVersion },
      process: {
        ...{ pid: 1, startTime: "0", stdin, stdout: this.#stdout, stderr: "", state: "running" as const },
        ...{ dead: gone.then(() => {}), gone, stop },
      },
      sessionId: sessionId as never,
      events,
      logger: silentLogger,
      now: () => 0,
    });
  }

  write(line: string): void {
    if (!this.isGone) this.#stdout.write(`${line}\n`);
  }

  exit(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#stdout.end();
    setImmediate(() => this.#die(EXIT));
  }
}

/**
 * The agent of a recording behind the real driver: what the driver asks is answered as the recorded agent answered that method, once the
 * recording has come so far.
 */
export class RecordedAgent implements AgentSpawner {
  /** Frames that drivers wrote. */
  written = 0;
  readonly #lines: readonly RecordedLine[];
  #processes: RecordedProcess[] = [];
  /** Where the answers to recorded calls go, by the places of the calls. */
  readonly #bound = new Map<number, { readonly process: RecordedProcess; readonly id: unknown }>();
  #place = 0;
  /** Since when the present process of the recording runs. */
  #spawnPlace = 0;

  constructor(lines: readonly RecordedLine[]) {
    this.#lines = lines;
  }

  spawn(_spec: AgentSpec, sessionId: string, _cwd: string, events: AgentEvents): Promise<Agent> {
    const process = new RecordedProcess();
    this.#processes.push(process);
    const version = versionOf({ lines: this.#lines });
    return Promise.resolve(process.start(sessionId, version, events, (frame) => this.#asked(process, frame)));
  }

  launch(): Promise<AgentProgram> {
    return Promise.reject(new TypeError("no programs here"));
  }

  /** The recording has come to that line. */
  reached(place: number): void {
    this.#place = place;
    const { dir, event, frame, raw } = this.#lines[place] as RecordedLine;
    if (dir === "event" && (event === "spawn" || event === "exit")) this.exit();
    if (event === "spawn") this.#spawnPlace = place;
    if (dir !== "a->c") return;
    if (frame === undefined) this.#all((process) => process.write(String(raw)));
    else if (frame.method === undefined) this.#answered(place, frame);
    else {
      const sessionId = frame.params?.sessionId;
      // An update may name the session before the answer that opens it does.
      const owners = this.#processes.filter((process) => process.sessionId === sessionId);
      const receivers =
        owners.length > 0 ? owners : this.#processes.filter((process) => process.sessionId === undefined);
      for (const process of sessionId === undefined ? this.#processes : receivers) {
        process.write(JSON.stringify({ jsonrpc: "2.0", ...frame }));
      }
    }
  }

  /** Whether a driver has made the recorder's call at that place. */
  hasAsked(place: number): boolean {
    return this.#bound.has(place);
  }

  exit(): void {
    this.#all((process) => process.exit());
    this.#processes = [];
    this.#bound.clear();
  }

  /** Whether a driver has opened that session of the recorded agent. */
  isOpen(sessionId: unknown): boolean {
    return this.#processes.some((process) => process.sessionId === sessionId && !process.isGone);
  }

  #all(act: (process: RecordedProcess) => void): void {
    for (const process of this.#processes) act(process);
  }

  #asked(process: RecordedProcess, { id, method, params }: RecordedFrame): void {
    this.written++;
    if (method === undefined || id === undefined) return;
    if (method === "session/load" || method === "session/resume") process.sessionId = params?.sessionId;
    const call = this.#recordedCall(process, method, params);
    if (call === undefined) {
      process.write(JSON.stringify({ jsonrpc: "2.0", id, result: {} }));
      return;
    }
    this.#bound.set(call, { process, id });
    const recorded = this.#lines[call]?.frame;
    const answer = this.#lines.findIndex(
      ({ dir, frame }, place) =>
        place > call && dir === "a->c" && frame?.method === undefined && frame?.id === recorded?.id,
    );
    if (answer !== -1 && answer <= this.#place) this.#answered(answer, this.#lines[answer]?.frame as RecordedFrame);
  }

  /** Place of the recorder's call that this one is; undefined for one that the driver makes by itself. */
  #recordedCall(process: RecordedProcess, method: string, params: RecordedFrame["params"]): number | undefined {
    const isNamed = method === "session/prompt";
    const place = this.#lines.findIndex(({ dir, frame }, at) => {
      if (dir !== "c->a" || frame?.method !== method || at < this.#spawnPlace || at > this.#place) return false;
      if (method === "initialize") return true;
      if (this.#bound.has(at)) return false;
      return !isNamed || frame.params?.sessionId === (process.sessionId ?? params?.sessionId);
    });
    return place === -1 ? undefined : place;
  }

  #answered(place: number, frame: RecordedFrame): void {
    const call = this.#lines.findLastIndex(
      (line, at) => at < place && line.dir === "c->a" && line.frame?.method !== undefined && line.frame.id === frame.id,
    );
    const bound = this.#bound.get(call);
    if (bound === undefined) return;
    const method = this.#lines[call]?.frame?.method;
    const { sessionId } = (frame.result ?? {}) as { sessionId?: unknown };
    if (method === "session/new") bound.process.sessionId = sessionId;
    bound.process.write(JSON.stringify({ jsonrpc: "2.0", ...frame, id: bound.id }));
  }
}
