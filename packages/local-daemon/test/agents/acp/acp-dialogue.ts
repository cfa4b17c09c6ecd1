import { PassThrough } from "node:stream";
import { type SessionId, type SessionNotification, silentLogger } from "@daemon-sdk/protocol";
import type { AgentExit, AgentRequest, AgentSpec, AgentStart, AgentTurnEnd } from "../../../src/agents/agent.js";
import { AcpAgent } from "../../../src/agents/drivers/acp/index.js";
import type { RecordedFrame } from "./recording.js";

const SESSION = "s-1" as SessionId;
export const START: AgentStart = { sessionId: SESSION, cwd: "/home/user/project", settings: {} };

/** A driver whose agent is the test: the test reads what the driver writes, and writes lines back. */
export class AcpDialogue {
  readonly agent: AcpAgent;
  readonly notifications: SessionNotification[] = [];
  readonly requests: AgentRequest[] = [];
  readonly ends: AgentTurnEnd[] = [];
  /** How the driver asked for the end of the process. */
  readonly stops: string[] = [];
  starts = 0;

  readonly #stdout = new PassThrough();
  readonly #written: RecordedFrame[] = [];
  readonly #waiting: ((frame: RecordedFrame) => void)[] = [];
  #die: (exit: AgentExit) => void = () => {};

  constructor(spec: Partial<AgentSpec> = {}) {
    const stdin = new PassThrough();
    let text = "";
    stdin.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) this.#wrote(JSON.parse(line));
    });
    const gone = new Promise<AgentExit>((resolve) => {
      this.#die = resolve;
    });
    this.agent = new AcpAgent({
      spec: { name: "tested", ...spec },
      process: {
        pid: 1,
        startTime: "0",
        stdin,
        stdout: this.#stdout,
        dead: gone.then(() => {}),
        gone,
        state: "running",
        stop: (reason = "asked") => {
          this.stops.push(reason);
          this.exit({ signal: "SIGKILL", exitCode: null });
          return gone;
        },
      },
      sessionId: SESSION,
      logger: silentLogger,
      now: () => 0,
      events: {
        onNotification: (notification) => this.notifications.push(notification),
        onRequest: (request) => this.requests.push(request),
        onFault: () => {},
        onConversation: () => {},
        onTurnStarted: () => {
          this.starts++;
        },
        onTurnEnded: (end) => this.ends.push(end),
        onExit: () => {},
      },
    });
  }

  /** The next line of the driver. */
  async read(): Promise<RecordedFrame> {
    const [frame] = this.#written.splice(0, 1);
    return frame ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Reads a call of that method and answers it. */
  async answer(method: string, outcome: { result: unknown } | { error: unknown }): Promise<RecordedFrame> {
    const frame = await this.read();
    if (frame.method !== method) throw new Error(`The driver called ${frame.method}, not ${method}`);
    this.write({ id: frame.id as number, ...outcome });
    return frame;
  }

  write(frame: object): void {
    this.line(JSON.stringify({ jsonrpc: "2.0", ...frame }));
  }

  line(text: string): void {
    this.#stdout.write(`${text}\n`);
  }

  update(update: object): void {
    this.write({ method: "session/update", params: { sessionId: "a-1", update } });
  }

  say(text: string): void {
    this.update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } });
  }

  exit(exit: Partial<AgentExit>): void {
    this.#stdout.end();
    this.#die({ exitCode: 0, signal: null, stderr: "", expected: false, ...exit });
  }

  /** Opens a new conversation. */
  async open(capabilities: object = {}, answer: object = {}): Promise<void> {
    const opened = this.agent.open(START);
    await this.answer("initialize", { result: { protocolVersion: 1, agentCapabilities: capabilities } });
    await this.answer("session/new", { result: { sessionId: "a-1", ...answer } });
    await opened;
  }

  /** Sends a prompt and reads its line; the id answers it. */
  async prompt(text = "hello"): Promise<number> {
    await this.agent.prompt({ sessionId: SESSION, text, messageId: "m-1" });
    const frame = await this.read();
    return frame.id as number;
  }

  ofType(type: string): SessionNotification[] {
    return this.notifications.filter((notification) => notification.type === type);
  }

  #wrote(frame: RecordedFrame): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#written.push(frame);
    else waiting(frame);
  }
}
