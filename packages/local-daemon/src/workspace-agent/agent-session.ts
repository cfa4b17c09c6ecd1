import { type ProtocolEngine, RpcCode, RpcFault } from "@daemon-sdk/protocol";
import type { Workspace } from "../workspace/index.js";
import type { Conversation } from "./conversation.js";
import type { ConversationStore } from "./conversation-store.js";
import type { FileHistory } from "./file-history.js";
import { Person } from "./person.js";
import type { Prompt } from "./prompt.js";
import type { SessionOutput } from "./session-output.js";
import { Turn } from "./turn.js";
import type { TurnSession } from "./turn-session.js";

/** Parts of an {@link AgentSession}. */
export interface AgentSessionParts {
  readonly conversation: Conversation;
  readonly history: FileHistory;
  readonly workspace: Workspace;
  readonly output: SessionOutput;
  readonly store: ConversationStore;
  readonly engine: ProtocolEngine;
}

/**
 * The session of this process: its conversation, its files, its user, and its turns, one after the other.
 *
 * A prompt during a turn is queued without a notification. An interrupt discards queued prompts
 * (docs/wire/agent-stdio.md#oddities).
 */
export class AgentSession implements TurnSession {
  readonly conversation: Conversation;
  readonly history: FileHistory;
  readonly workspace: Workspace;
  readonly output: SessionOutput;
  readonly person: Person;
  readonly #store: ConversationStore;
  #waiting: Prompt[] = [];
  #running: { readonly prompt: Prompt; readonly abort: AbortController } | undefined;

  constructor(parts: AgentSessionParts) {
    this.conversation = parts.conversation;
    this.history = parts.history;
    this.workspace = parts.workspace;
    this.output = parts.output;
    this.person = new Person(parts.engine, parts.conversation.id);
    this.#store = parts.store;
    parts.output.sessionId = parts.conversation.id;
  }

  /** Whether a turn runs. */
  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /** Starts the turn of a prompt, or queues the prompt while another turn runs. */
  add(prompt: Prompt): void {
    this.#waiting.push(prompt);
    if (!this.isBusy) void this.#runWaiting();
  }

  /** Ends the running turn as `cancelled`, and discards queued prompts. No effect when idle. */
  interrupt(): void {
    for (const { params, requestId } of this.#waiting.splice(0)) {
      this.output.tell({ type: "queued_messages_discarded", text: params.text, requestId });
    }
    this.#running?.abort.abort(new RpcFault(RpcCode.internalError, "Request interrupted by user"));
  }

  /** Writes the conversation to disk. A failure is reported as an `error` notification, and the session continues. */
  async save(): Promise<void> {
    try {
      await this.#store.save(this.conversation, this.history);
    } catch (error) {
      const message = `The conversation was not saved: ${error instanceof Error ? error.message : String(error)}`;
      this.output.tell({ type: "error", message, errorType: "Error", timestamp: new Date().toISOString() });
    }
  }

  async #runWaiting(): Promise<void> {
    for (let prompt = this.#waiting.shift(); prompt !== undefined; prompt = this.#waiting.shift()) {
      const abort = new AbortController();
      this.#running = { prompt, abort };
      await new Turn(this, prompt, abort.signal).run();
      this.#running = undefined;
    }
  }
}
