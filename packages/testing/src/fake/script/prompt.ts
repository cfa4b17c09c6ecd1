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

/** What else the end of a turn tells, such as `exitCode`. */
export type FakeTurnEndDetails = Partial<Omit<AgentTurnCompleted, "reason" | "turnId" | "tokenUsage">>;

/** Where a turn is told: a session of the fake daemon, or a fake agent. */
export interface TurnStage {
  readonly id: string;
  notify(notification: KnownSessionNotification | SessionNotification): void;
  setWorkingState(state: WorkingState): void;
  askPermission(permission: FakePermission): Promise<RequestPermissionResult>;
  askUser(questions: FakeQuestions): Promise<AskUserResult>;
  /** Closes what was asked and not answered. */
  closeRequests(reason: string): void;
}

/** What a prompt needs to know of its surroundings. */
export interface FakePromptContext {
  readonly completesTurns: boolean;
  now(): number;
  /** Called once, before the session is idle. `answer` is the text of the last message. */
  onEnd(reason: string, answer: string | undefined): void;
  /** Called once, after everything of the turn was told. */
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
 * One user message and the turn it starts, in the hands of a test's script.
 *
 * Each call tells the clients at once, in the order of a real turn (docs/protocol.md §7). After the end (or an
 * interrupt) calls do nothing, so a script needs no checks of its own.
 */
export class FakePrompt {
  /** Id of the `add_user_message` request. */
  readonly requestId: string;
  /** All params of that request. */
  readonly params: AddUserMessageParams & { messageId: string };
  /** What `end` reports as the turn's usage; set it before. */
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
  /** Aborted when the turn ends, by whomever. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Called by the session: the turn runs. */
  start(): void {
    this.#stage.setWorkingState("streaming_assistant_message");
    const message = { ...this.#message("user", [{ type: "text", text: this.text }]), id: this.messageId };
    this.notify({ type: "create_message", message, requestId: this.requestId });
  }

  /** A piece of the assistant's next message. */
  delta(textDelta: string): void {
    this.#endThinking();
    this.#text += textDelta;
    const blockIndex = this.#textBlock;
    this.notify({ type: "assistant_text_delta", messageId: this.#assistantId, blockIndex, textDelta });
  }

  /** A piece of the assistant's thinking, which comes before the text of the message. */
  thinking(textDelta: string): void {
    this.#isThinking = true;
    this.#thinking += textDelta;
    this.notify({ type: "thinking_text_delta", messageId: this.#assistantId, blockIndex: 0, textDelta });
  }

  /** Completes the assistant's message: with the deltas so far, or with `text` when there were none. Returns its id. */
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

  /** The assistant calls a tool. Returns the tool use's id. */
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

  /** Asks the clients for permission; resolves with the first answer (cancel after the end). */
  async askPermission(permission: FakePermission): Promise<RequestPermissionResult> {
    if (this.#isEnded) return CANCELLED.request_permission;
    this.#setState("waiting_for_tool_confirmation");
    const result = await this.#stage.askPermission(permission);
    this.#setState("executing_tool");
    return result;
  }

  /** Asks the clients questions; resolves with the first answer (cancelled after the end). */
  async askUser(questions: FakeQuestions): Promise<AskUserResult> {
    if (this.#isEnded) return CANCELLED.ask_user;
    this.#setState("waiting_for_tool_confirmation");
    const result = await this.#stage.askUser(questions);
    this.#setState("executing_tool");
    return result;
  }

  /** Any notification of this session, known or not. */
  notify(notification: KnownSessionNotification | SessionNotification): void {
    if (!this.#isEnded) this.#stage.notify(notification);
  }

  /** Ends the turn. Once; called for the script when it returns. */
  end(reason: FakeTurnEnd = "completed", details: FakeTurnEndDetails = {}): void {
    if (this.#isEnded) return;
    this.#stage.closeRequests(reason);
    const { sessionId, tokenUsage, messageId: turnId } = this;
    // Who is gone cannot tell what it used.
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
    this.#context.onEnd(reason, this.#answer);
    this.#stage.setWorkingState("idle");
    this.#abort.abort();
    this.#context.onIdle();
  }

  /** Ends the turn because its script threw: an `error` notification, then the end. */
  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const timestamp = new Date(this.#context.now()).toISOString();
    this.notify({ type: "error", message, errorType: "Error", timestamp });
    this.end("error");
  }

  #setState(state: "streaming_assistant_message" | "executing_tool" | "waiting_for_tool_confirmation"): void {
    if (!this.#isEnded) this.#stage.setWorkingState(state);
  }

  /** Blocks of a message are counted from 0; thinking, when there is any, is the first. */
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
