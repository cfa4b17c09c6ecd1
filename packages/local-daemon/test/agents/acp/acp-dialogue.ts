import type { SessionNotification } from "@daemon-sdk/protocol";
import type { AgentExit, AgentRequest, AgentSpec, AgentTurnEnd } from "../../../src/agents/agent.js";
import type { AcpAgent } from "../../../src/agents/drivers/acp/index.js";
import { DrivenAgent, type DriverEvent, START } from "./driven-agent.js";
import type { RecordedFrame } from "./recording.js";

/** A dialogue with a driver, line by line: the test is the agent. */
export class AcpDialogue {
  readonly notifications: SessionNotification[] = [];
  readonly requests: AgentRequest[] = [];
  readonly ends: AgentTurnEnd[] = [];
  starts = 0;

  readonly #driven: DrivenAgent;
  readonly #written: RecordedFrame[] = [];
  readonly #waiting: ((frame: RecordedFrame) => void)[] = [];

  constructor(spec: Partial<AgentSpec> = {}) {
    this.#driven = new DrivenAgent({
      spec,
      onFrame: (frame) => this.#wrote(frame),
      onEvent: (event) => this.#reported(event),
    });
  }

  get agent(): AcpAgent {
    return this.#driven.agent;
  }

  /** How the driver asked for the end of the process. */
  get stops(): readonly string[] {
    return this.#driven.stops;
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
    this.#driven.write(frame);
  }

  line(text: string): void {
    this.#driven.line(text);
  }

  update(update: object): void {
    this.write({ method: "session/update", params: { sessionId: "a-1", update } });
  }

  say(text: string, messageId?: string): void {
    this.update({ sessionUpdate: "agent_message_chunk", messageId, content: { type: "text", text } });
  }

  think(text: string, messageId?: string): void {
    this.update({ sessionUpdate: "agent_thought_chunk", messageId, content: { type: "text", text } });
  }

  exit(exit: Partial<AgentExit>): void {
    this.#driven.exit(exit);
  }

  /** Opens a new conversation. */
  async open(agentCapabilities: object = {}, answer: object = {}, agentInfo?: object): Promise<void> {
    const opened = this.agent.open(START);
    await this.answer("initialize", { result: { protocolVersion: 1, agentCapabilities, agentInfo } });
    await this.answer("session/new", { result: { sessionId: "a-1", ...answer } });
    await opened;
  }

  /** Opens a new conversation with an agent that answers version 2; its `session` capabilities are these. */
  async openVersion2(session: object = {}, answer: object = {}): Promise<RecordedFrame> {
    const opened = this.agent.open(START);
    const info = { name: "tested", version: "1" };
    await this.answer("initialize", { result: { protocolVersion: 2, info, capabilities: { session } } });
    const call = await this.answer("session/new", { result: { sessionId: "a-1", ...answer } });
    await opened;
    return call;
  }

  /** Reports what the agent does, in version 2. */
  state(state: string, fields: object = {}): void {
    this.update({ sessionUpdate: "state_update", state, ...fields });
  }

  /** Sends a prompt and reads its line; the id answers it. */
  async prompt(text = "hello"): Promise<number> {
    await this.agent.prompt({ sessionId: START.sessionId, text, messageId: "m-1" });
    const frame = await this.read();
    return frame.id as number;
  }

  ofType(type: string): SessionNotification[] {
    return this.notifications.filter((notification) => notification.type === type);
  }

  #reported(event: DriverEvent): void {
    if (event.kind === "notification") this.notifications.push(event.notification);
    else if (event.kind === "request") this.requests.push(event.request);
    else if (event.kind === "ended") this.ends.push(event.end);
    else this.starts++;
  }

  #wrote(frame: RecordedFrame): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#written.push(frame);
    else waiting(frame);
  }
}
