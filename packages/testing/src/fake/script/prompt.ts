import {
  type AddUserMessageParams,
  type AgentTurnCompleted,
  type AskUserResult,
  type KnownSessionNotification,
  type MessageBlock,
  newId,
  type Open,
  type RequestPermissionResult,
  type SessionNotification,
  type TokenUsage,
  type WorkingState,
} from "@daemon-sdk/protocol";
import { CANCELLED, type FakePermission, type FakeQuestions } from "./asking.js";

/** Why a turn ended (docs/protocol.md §7). */
export type FakeTurnEnd = Open<"completed" | "cancelled" | "error" | "agent_exited" | "daemon_restarted">;

/** Further fields of a turn's end, such as `exitCode`. */
export type FakeTurnEndDetails = Partial<Omit<AgentTurnCompleted, "reason" | "turnId" | "tokenUsage">>;

/** Receiver of a turn's output: a session of the fake daemon, or a fake agent. */
export interface TurnStage {
  readonly id: string;
  notify(notification: KnownSessionNotification | SessionNotification): void;
  setWorkingState(state: WorkingState): void;
  askPermission(permission: FakePermission): Promise<RequestPermissionResult>;
  askUser(questions: FakeQuestions): Promise<AskUserResult>;
  /** Closes the pending requests. */
  closeRequests(reason: string): void;
}

/** What a {@link FakePrompt} needs of its owner. */
export interface FakePromptContext {
  readonly completesTurns: boolean;
  now(): number;
  /** Called once, before the session is idle. `answer` is the text of the last message, or of its pieces. */
  onEnd(reason: string, answer: string | undefined): void;
  /** Called once, after the last notification of the turn. */
  onIdle(): void;
}

const NO_TOKENS: TokenUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheCreationTokens: 0,
  cacheReadTokens: 0,
  thinkingTokens: 0,
};

/** What each session has used so far. */
const TOTALS = new WeakMap<TurnStage, TokenUsage>();

/** Adds what a turn used to its session's total, and returns the total. */
function totalOf(stage: TurnStage, used: TokenUsage): TokenUsage {
  const before = TOTALS.get(stage) ?? NO_TOKENS;
  const total = {
    inputTokens: before.inputTokens + used.inputTokens,
    outputTokens: before.outputTokens + used.outputTokens,
    cacheCreationTokens: before.cacheCreationTokens + used.cacheCreationTokens,
    cacheReadTokens: before.cacheReadTokens + used.cacheReadTokens,
    thinkingTokens: before.thinkingTokens + used.thinkingTokens,
  };
  TOTALS.set(stage, total);
  return total;
}

/**
 * One user message and its turn, controlled by a test's script.
 *
 * Each call notifies the clients at once, in the order of a real turn (docs/protocol.md §7). After the end or an interrupt,
 * calls have no effect, so a script needs no checks of its own.
 */
export class FakePrompt {
  /** Id of the `add_user_message` request. */
  readonly requestId: string;
  /** All params of that request. */
  readonly params: AddUserMessageParams & { messageId: string };
  /** Token usage that `end` reports. */
  tokenUsage: TokenUsage = { ...NO_TOKENS };
  readonly #stage: TurnStage;
  readonly #context: FakePromptContext;
  readonly #abort = new AbortController();
  #isEnded = false;
  #assistantId = newId();
  #thinking = "";
  #isThinking = false;
  #text = "";
  #answer: string | undefined;

  constructor(
    stage: TurnStage,
    requestId: string,
    params: AddUserMessageParams & { messageId: string },
    context: FakePromptContext,
  ) {
    this.#stage = stage;
    this.requestId = requestId;
    this.params = params;
    this.#context = context;
  }

  get text(): string {
    return this.params.text;
  }
  get sessionId(): string {
    return this.#stage.id;
  }
  get messageId(): string {
    return this.params.messageId;
  }
  /** Aborted when the turn ends, for any reason. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Starts the turn; called by the session. */
  start(): void {
    this.#stage.setWorkingState("streaming_assistant_message");
    const message = { ...this.#message("user", [{ type: "text", text: this.text }]), id: this.messageId };
    this.notify({ type: "create_message", message, requestId: this.requestId });
  }

  /** Sends a piece of the assistant's next message. */
  delta(textDelta: string): void {
    this.#endThinking();
    this.#text += textDelta;
    const blockIndex = this.#textBlock;
    this.notify({ type: "assistant_text_delta", messageId: this.#assistantId, blockIndex, textDelta });
  }

  /** Sends a piece of the assistant's thinking, which precedes the text of the message. */
  thinking(textDelta: string): void {
    this.#isThinking = true;
    this.#thinking += textDelta;
    this.notify({ type: "thinking_text_delta", messageId: this.#assistantId, blockIndex: 0, textDelta });
  }

  /** Completes the assistant's message, with the deltas so far or, without deltas, with `text`. Returns its id. */
  message(text: string = this.#text): string {
    this.#endThinking();
    const id = this.#assistantId;
    const blockIndex = this.#textBlock;
    if (this.#text) this.notify({ type: "assistant_text_complete", messageId: id, blockIndex });
    const content = [...this.#thinkingBlocks(), { type: "text" as const, text }];
    this.notify({ type: "create_message", message: this.#message("assistant", content) });
    this.#answer = text;
    this.#nextMessage();
    return id;
  }

  /** Sends a tool call of the assistant. Returns the id of the tool use. */
  toolCall(name: string, input: unknown = {}, id: string = newId()): string {
    this.#endThinking();
    const toolUse = { type: "tool_use", id, name, input } as const;
    this.notify({ type: "tool_call", toolUse });
    const content = [...this.#thinkingBlocks(), toolUse];
    this.notify({ type: "create_message", message: this.#message("assistant", content) });
    this.#nextMessage();
    this.#setState("executing_tool");
    return id;
  }

  toolResult(toolUseId: string, content: string, isError = false): void {
    this.notify({ type: "tool_result", messageId: newId(), toolUseId, content, isError });
    this.#setState("streaming_assistant_message");
  }

  /** Requests permission; resolves with the first answer, or with cancel after the turn's end. */
  async askPermission(permission: FakePermission): Promise<RequestPermissionResult> {
    if (this.#isEnded) return CANCELLED.request_permission;
    this.#setState("waiting_for_tool_confirmation");
    const result = await this.#stage.askPermission(permission);
    this.#setState("executing_tool");
    return result;
  }

  /** Asks the user questions; resolves with the first answer, or as cancelled after the turn's end. */
  async askUser(questions: FakeQuestions): Promise<AskUserResult> {
    if (this.#isEnded) return CANCELLED.ask_user;
    this.#setState("waiting_for_tool_confirmation");
    const result = await this.#stage.askUser(questions);
    this.#setState("executing_tool");
    return result;
  }

  /** Sends any notification of this session. */
  notify(notification: KnownSessionNotification | SessionNotification): void {
    if (!this.#isEnded) this.#stage.notify(notification);
  }

  /** Ends the turn, once. Called automatically when the script returns. */
  end(reason: FakeTurnEnd = "completed", details: FakeTurnEndDetails = {}): void {
    if (this.#isEnded) return;
    this.#stage.closeRequests(reason);
    const { sessionId, tokenUsage, messageId: turnId } = this;
    // An ended process cannot report its usage.
    const isGone = reason === "agent_exited" || reason === "daemon_restarted";
    const usage = isGone ? {} : { tokenUsage };
    // As the original does: the running total of the session, while the turn's end states the turn's own.
    if (!isGone) {
      this.notify({ type: "session_token_usage_changed", sessionId, tokenUsage: totalOf(this.#stage, tokenUsage) });
    }
    if (this.#context.completesTurns) {
      this.notify({ type: "agent_turn_completed", reason, turnId, ...usage, ...details });
    }
    this.#isEnded = true;
    // Of a turn that did not complete, and has no message, what was written of one.
    const written = reason === "completed" || this.#text === "" ? undefined : this.#text;
    this.#context.onEnd(reason, this.#answer ?? written);
    this.#stage.setWorkingState("idle");
    this.#abort.abort();
    this.#context.onIdle();
  }

  /** Ends the turn after its script threw: an `error` notification, then the end. */
  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const timestamp = new Date(this.#context.now()).toISOString();
    this.notify({ type: "error", message, errorType: "Error", timestamp });
    this.end("error");
  }

  #setState(state: "streaming_assistant_message" | "executing_tool" | "waiting_for_tool_confirmation"): void {
    if (!this.#isEnded) this.#stage.setWorkingState(state);
  }

  /** Index of the text block in the message, from 0. A thinking block precedes it. */
  get #textBlock(): number {
    return this.#thinking ? 1 : 0;
  }

  #thinkingBlocks(): MessageBlock[] {
    return this.#thinking ? [{ type: "thinking", thinking: this.#thinking }] : [];
  }

  #endThinking(): void {
    if (!this.#isThinking) return;
    this.#isThinking = false;
    this.notify({ type: "thinking_text_complete", messageId: this.#assistantId, blockIndex: 0 });
  }

  #nextMessage(): void {
    this.#assistantId = newId();
    this.#text = "";
    this.#thinking = "";
  }

  #message(role: "user" | "assistant", content: MessageBlock[]) {
    const now = this.#context.now();
    return { id: this.#assistantId, role, content, createdAt: now, updatedAt: now };
  }
}
