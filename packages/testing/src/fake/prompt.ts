import {
  type AddUserMessageParams,
  type AskUserResult,
  type KnownSessionNotification,
  type MessageBlock,
  newId,
  type Open,
  type RequestPermissionResult,
  type SessionNotification,
  type TokenUsage,
} from "@daemon-sdk/protocol";
import type { FakePermission, FakeQuestions, FakeSession } from "./session.js";

/** Why a turn ended (session spec §6.1, agent spec). */
export type FakeTurnEnd = Open<"completed" | "cancelled" | "error">;

/** What a prompt needs to know of its surroundings. */
export interface FakePromptContext {
  readonly completesTurns: boolean;
  onEnd(): void;
}

const NO_TOKENS: TokenUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheCreationTokens: 0,
  cacheReadTokens: 0,
  thinkingTokens: 0,
};

/**
 * One user message and the turn it starts, in the hands of a test's script.
 *
 * Each call tells the clients at once, in the order of a real turn (session spec Appendix A). After the end (or an
 * interrupt) calls do nothing, so a script needs no checks of its own.
 */
export class FakePrompt {
  /** Id of the `add_user_message` request. */
  readonly requestId: string;
  /** All params of that request. */
  readonly params: AddUserMessageParams & { messageId: string };
  /** What `end` reports as the turn's usage; set it before. */
  tokenUsage: TokenUsage = { ...NO_TOKENS };
  readonly #session: FakeSession;
  readonly #context: FakePromptContext;
  readonly #abort = new AbortController();
  #isEnded = false;
  #assistantId = newId();
  #text = "";

  constructor(
    session: FakeSession,
    requestId: string,
    params: AddUserMessageParams & { messageId: string },
    context: FakePromptContext,
  ) {
    this.#session = session;
    this.requestId = requestId;
    this.params = params;
    this.#context = context;
  }

  get text(): string {
    return this.params.text;
  }
  get sessionId(): string {
    return this.#session.id;
  }
  get messageId(): string {
    return this.params.messageId;
  }
  /** Aborted when the turn ends, by whomever. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Called by the session: the turn runs. */
  start(): void {
    this.#session.setWorkingState("streaming_assistant_message");
    const message = { ...this.#message("user", [{ type: "text", text: this.text }]), id: this.messageId };
    this.notify({ type: "create_message", message, requestId: this.requestId });
  }

  /** A piece of the assistant's next message. */
  delta(textDelta: string): void {
    this.#text += textDelta;
    this.notify({ type: "assistant_text_delta", messageId: this.#assistantId, blockIndex: 0, textDelta });
  }

  /** A piece of the assistant's thinking. */
  thinking(textDelta: string): void {
    this.notify({ type: "thinking_text_delta", messageId: this.#assistantId, blockIndex: 0, textDelta });
  }

  /** Completes the assistant's message: with the deltas so far, or with `text` when there were none. Returns its id. */
  message(text: string = this.#text): string {
    const id = this.#assistantId;
    if (this.#text) this.notify({ type: "assistant_text_complete", messageId: id, blockIndex: 0 });
    this.notify({ type: "create_message", message: this.#message("assistant", [{ type: "text", text }]) });
    this.#nextMessage();
    return id;
  }

  /** The assistant calls a tool. Returns the tool use's id. */
  toolCall(name: string, input: unknown = {}, id: string = newId()): string {
    const toolUse = { type: "tool_use", id, name, input } as const;
    this.notify({ type: "tool_call", toolUse });
    this.notify({ type: "create_message", message: this.#message("assistant", [toolUse]) });
    this.#nextMessage();
    this.#setState("executing_tool");
    return id;
  }

  toolResult(toolUseId: string, content: string, isError = false): void {
    this.notify({ type: "tool_result", messageId: newId(), toolUseId, content, isError });
    this.#setState("streaming_assistant_message");
  }

  /** Asks the clients for permission; resolves with the first answer (cancel after the end). */
  async askPermission(permission: FakePermission): Promise<RequestPermissionResult> {
    if (this.#isEnded) return { selectedOption: "cancel" };
    this.#setState("waiting_for_tool_confirmation");
    const result = await this.#session.askPermission(permission);
    this.#setState("executing_tool");
    return result;
  }

  /** Asks the clients questions; resolves with the first answer (cancelled after the end). */
  async askUser(questions: FakeQuestions): Promise<AskUserResult> {
    if (this.#isEnded) return { cancelled: true, answers: [] };
    this.#setState("waiting_for_tool_confirmation");
    const result = await this.#session.askUser(questions);
    this.#setState("executing_tool");
    return result;
  }

  /** Any notification of this session, known or not. */
  notify(notification: KnownSessionNotification | SessionNotification): void {
    if (!this.#isEnded) this.#session.notify(notification);
  }

  /** Ends the turn. Once; called for the script when it returns. */
  end(reason: FakeTurnEnd = "completed"): void {
    if (this.#isEnded) return;
    this.#session.inbox.cancelAll();
    const { sessionId, tokenUsage, messageId: turnId } = this;
    this.notify({ type: "session_token_usage_changed", sessionId, tokenUsage });
    if (this.#context.completesTurns) this.notify({ type: "agent_turn_completed", reason, turnId, tokenUsage });
    this.#isEnded = true;
    this.#session.setWorkingState("idle");
    this.#abort.abort();
    this.#context.onEnd();
  }

  /** Ends the turn because its script threw: an `error` notification, then the end. */
  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.notify({ type: "error", message, errorType: "Error", timestamp: new Date().toISOString() });
    this.end("error");
  }

  #setState(state: "streaming_assistant_message" | "executing_tool" | "waiting_for_tool_confirmation"): void {
    if (!this.#isEnded) this.#session.setWorkingState(state);
  }

  #nextMessage(): void {
    this.#assistantId = newId();
    this.#text = "";
  }

  #message(role: "user" | "assistant", content: MessageBlock[]) {
    const now = Date.now();
    return { id: this.#assistantId, role, content, createdAt: now, updatedAt: now };
  }
}
