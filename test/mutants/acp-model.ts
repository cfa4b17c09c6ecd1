import { newId } from "@daemon-sdk/protocol";
import type { AgentExit, AgentProcess } from "@daemon-sdk/testing/node";

/** A message of ACP. */
export interface AcpMessage {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

interface Outcome {
  readonly outcome?: string;
  readonly optionId?: string;
}

type Update = Record<string, unknown>;

/** What was said in a session, by its id: prompts, each with its answer. */
export type Conversations = Map<string, string[]>;

const OPTIONS = [
  { optionId: "yes", name: "Allow", kind: "allow_once" },
  { optionId: "no", name: "Reject", kind: "reject_once" },
];

/** An agent in memory that keeps every law of ACP: it repeats a prompt, `endless` goes on, `permission` asks before a tool. */
export class AcpModel implements AgentProcess {
  onLine: ((line: string) => void) | undefined;
  onStderr: ((text: string) => void) | undefined;
  onExit: ((exit: AgentExit) => void) | undefined;
  readonly #conversations: Conversations;
  readonly #sessions = new Set<string>();
  readonly #turns = new Map<string, AbortController>();
  readonly #asked = new Map<unknown, (outcome: Outcome) => void>();

  constructor(conversations: Conversations) {
    this.#conversations = conversations;
  }

  write(line: string): void {
    queueMicrotask(() => this.#received(JSON.parse(line) as AcpMessage));
  }

  endInput(): void {
    queueMicrotask(() => this.#end({ code: 0, signal: null }));
  }

  kill(): void {
    queueMicrotask(() => this.#end({ code: null, signal: "SIGKILL" }));
  }

  #end(exit: AgentExit): void {
    this.onLine = undefined;
    this.onExit?.(exit);
    this.onExit = undefined;
  }

  #send(message: AcpMessage): void {
    this.onLine?.(JSON.stringify({ jsonrpc: "2.0", ...message }));
  }

  #received({ id, method, params = {}, result }: AcpMessage): void {
    if (method === undefined) {
      this.#asked.get(id)?.((result?.outcome ?? {}) as Outcome);
      return;
    }
    const sessionId = String(params.sessionId);
    if (method === "session/cancel") this.#turns.get(sessionId)?.abort();
    if (id === undefined) return;
    const isUnknown = ["session/prompt", "session/load"].includes(method) && !this.#knows(method, sessionId);
    if (isUnknown) this.#send({ id, error: { code: -32_002, message: "Session not found" } });
    else if (method === "session/prompt") void this.#prompt(id, sessionId, params);
    else this.#answer(id, method, sessionId);
  }

  #knows(method: string, sessionId: string): boolean {
    return method === "session/load" ? this.#conversations.has(sessionId) : this.#sessions.has(sessionId);
  }

  #answer(id: AcpMessage["id"], method: string, sessionId: string): void {
    if (method === "initialize") {
      this.#send({ id: id ?? null, result: { protocolVersion: 1, agentCapabilities: { loadSession: true } } });
    } else if (method === "session/new") {
      const made = newId();
      this.#sessions.add(made);
      this.#conversations.set(made, []);
      this.#send({ id: id ?? null, result: { sessionId: made } });
    } else if (method === "session/load") {
      this.#sessions.add(sessionId);
      for (const text of this.#conversations.get(sessionId) ?? []) {
        for (const kind of ["user_message_chunk", "agent_message_chunk"]) this.#text(sessionId, text, kind);
      }
      this.#send({ id: id ?? null, result: {} });
    } else this.#send({ id: id ?? null, error: { code: -32_601, message: "Method not found" } });
  }

  async #prompt(id: AcpMessage["id"], sessionId: string, { prompt }: Record<string, unknown>): Promise<void> {
    const [{ text }] = prompt as [{ text: string }];
    const turn = new AbortController();
    this.#turns.set(sessionId, turn);
    this.#conversations.get(sessionId)?.push(text);
    const ended = new Promise<void>((resolve) => turn.signal.addEventListener("abort", () => resolve()));
    if (text === "permission") await this.#useTool(sessionId, turn);
    else this.#text(sessionId, text);
    if (text === "endless") await ended;
    await Promise.resolve();
    this.#turns.delete(sessionId);
    this.#send({ id: id ?? null, result: { stopReason: turn.signal.aborted ? "cancelled" : "end_turn" } });
  }

  async #useTool(sessionId: string, turn: AbortController): Promise<void> {
    const toolCallId = newId();
    const id = newId();
    this.#update(sessionId, { sessionUpdate: "tool_call", toolCallId, title: "true", status: "pending" });
    const answer = new Promise<Outcome>((resolve) => this.#asked.set(id, resolve));
    const params = { sessionId, toolCall: { toolCallId }, options: OPTIONS };
    this.#send({ id, method: "session/request_permission", params });
    const { outcome, optionId } = await answer;
    // So a client answers when the turn is cancelled.
    if (outcome === "cancelled") turn.abort();
    const status = optionId === "yes" ? "completed" : "failed";
    this.#update(sessionId, { sessionUpdate: "tool_call_update", toolCallId, status });
  }

  #text(sessionId: string, text: string, kind = "agent_message_chunk"): void {
    this.#update(sessionId, { sessionUpdate: kind, content: { type: "text", text } });
  }

  #update(sessionId: string, update: Update): void {
    this.#send({ method: "session/update", params: { sessionId, update } });
  }
}
