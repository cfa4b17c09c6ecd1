import { type AgentExit, type AgentHarness, type AgentProcess, agentHarness } from "@daemon-sdk/testing/node";
import { type AcpMessage, AcpModel, type Conversations } from "./acp-model.js";

/** What an ACP agent does wrong: it changes what passes its pipes. One object lives as long as the process. */
export interface AcpSin {
  /** Replaces a client's message before the agent receives it; undefined drops the message. */
  hears?(message: AcpMessage, agent: SinfulAcpAgent): AcpMessage | undefined;
  /** What it says in place of a message. */
  says?(message: AcpMessage, agent: SinfulAcpAgent): readonly AcpMessage[];
  /** What stands on its stdout in place of a line. */
  prints?(line: string): readonly string[];
  /** How it exits; undefined: not at all. Not asked where it is killed. */
  exits?(exit: AgentExit, agent: SinfulAcpAgent): AgentExit | undefined;
}

/** A process of a sinful agent. It tracks the requests that it received, and the prompts that run. */
export class SinfulAcpAgent implements AgentProcess {
  onLine: ((line: string) => void) | undefined;
  onStderr: ((text: string) => void) | undefined;
  onExit: ((exit: AgentExit) => void) | undefined;
  /** Received requests by id. */
  readonly requests = new Map<unknown, AcpMessage>();
  openTurns = 0;
  readonly #inner: AgentProcess;
  readonly #sin: AcpSin;
  #isKilled = false;

  constructor(inner: AgentProcess, sin: AcpSin) {
    this.#inner = inner;
    this.#sin = sin;
    inner.onLine = (line) => this.#said(JSON.parse(line) as AcpMessage);
    inner.onExit = (exit) => {
      const told = this.#isKilled ? exit : (sin.exits ?? ((same) => same))(exit, this);
      if (told) this.onExit?.(told);
    };
  }

  write(line: string): void {
    const message = JSON.parse(line) as AcpMessage;
    if (message.method !== undefined && message.id !== undefined) this.requests.set(message.id, message);
    if (message.method === "session/prompt") this.openTurns++;
    const heard = this.#sin.hears ? this.#sin.hears(message, this) : message;
    if (heard) this.#inner.write(JSON.stringify(heard));
  }

  endInput(): void {
    this.#inner.endInput();
  }

  kill(): void {
    this.#isKilled = true;
    this.#inner.kill();
    queueMicrotask(() => queueMicrotask(() => this.onExit?.({ code: null, signal: "SIGKILL" })));
  }

  /** Says something that the agent did not say. */
  say(message: AcpMessage): void {
    const line = JSON.stringify({ jsonrpc: "2.0", ...message });
    for (const printed of this.#sin.prints?.(line) ?? [line]) this.onLine?.(printed);
  }

  /** Method of the request that a response answers. */
  methodOf({ id, method }: AcpMessage): string | undefined {
    return method === undefined ? this.requests.get(id)?.method : undefined;
  }

  #said(message: AcpMessage): void {
    if (this.methodOf(message) === "session/prompt") this.openTurns--;
    for (const said of this.#sin.says?.(message, this) ?? [message]) this.say(said);
  }
}

/** An ACP agent that commits this sin, a fresh one in each process, and keeps all other laws. */
export function sinfulAcpHarness(make: () => AcpSin, patienceMs: number): AgentHarness {
  const conversations: Conversations = new Map();
  const prompts = { say: (word: string) => word, endless: "endless", permission: "permission" };
  const start = () => new SinfulAcpAgent(new AcpModel(conversations), make());
  return agentHarness(start, { prompts, keepsConversations: true, patienceMs, workingDirectory: "." });
}
