import {
  errorOfEnd,
  errorOfEvent,
  isInterruptedReason,
  isKnownNotification,
  type KnownSessionNotification,
  resultOfTurn,
  type SessionNotification,
  type TokenUsage,
  type TrackedTurn,
  usageSince,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import type { BridgedEvent, DefaultEvent, ResultEvent, StructuredOutputError, TurnError } from "./events.js";
import { type ResolvedOutputFormat, settleStructuredOutput } from "./output-format.js";
import { TextPieces } from "./text-pieces.js";

// Facts of the wire: docs/wire/session.md#results

/** Options of {@link ResultCollector}. */
export interface ResultCollectorOptions {
  readonly sessionId: string;
  /** The format of the final answer; without it no structured output is expected. */
  readonly outputFormat?: ResolvedOutputFormat;
  /** Milliseconds from any fixed point; for `durationMs`. Default `performance.now`. */
  readonly now?: () => number;
}

/**
 * Collects the result of one turn from its notifications.
 *
 * The turn is tracked elsewhere: a `SessionState` applies each notification first, so that the turn has its end by then.
 */
export class ResultCollector {
  readonly #turn: TrackedTurn;
  readonly #options: ResultCollectorOptions;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #messages: DefaultEvent[] = [];
  readonly #errors: TurnError[] = [];
  #text: string | undefined;
  /** Text of messages that were received in pieces and not yet as a whole, by the message's id. */
  readonly #deltas = new Map<unknown, TextPieces>();
  /** What the turn used, as its end states it; and the session's running total in this turn. */
  #tokenUsage: TokenUsage | undefined;
  #totalUsage: TokenUsage | undefined;
  #declared: { value: unknown; error?: StructuredOutputError } | undefined;
  #reason: string | undefined;
  #isInterruptRequested = false;
  #wasBehind: boolean;
  #hasEnded = false;

  constructor(turn: TrackedTurn, options: ResultCollectorOptions) {
    this.#turn = turn;
    this.#options = options;
    this.#wasBehind = turn.isBehind;
    this.#now = options.now ?? (() => performance.now());
    this.#startedAt = this.#now();
  }

  /** Whether the end of the turn was observed. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether the prompt still waits behind an earlier turn, to which events then belong. */
  get isBehind(): boolean {
    return this.#turn.isBehind;
  }

  /** Whether no event of this turn was observed yet. */
  get isUntouched(): boolean {
    return this.#turn.isUntouched;
  }

  /** Whether an observed notification belongs to an earlier turn, so that its events are not of this turn. */
  isForeign({ type, newState }: SessionNotification): boolean {
    if (this.isBehind) return true;
    // The end of an abandoned turn is followed by idle.
    const isIdle = type === "droid_working_state_changed" && newState === "idle";
    return isIdle && this.isUntouched && !this.#turn.wasBusy;
  }

  /** This side requested an interrupt. A daemon that reports only idle does not state that the turn was interrupted. */
  noteInterrupt(): void {
    this.#isInterruptRequested = true;
  }

  /** Sets the answer of a turn whose messages are not known. */
  noteAnswer(text: string): void {
    this.#text ??= text;
  }

  /** Observes one notification, and the events that `MessageBridge` made of it. True once: this notification ended the turn. */
  observe(notification: SessionNotification, events: readonly BridgedEvent[]): boolean {
    if (this.#hasEnded) return false;
    if (this.#isOfThisTurn(notification)) this.#collect(notification, events);
    if (this.#turn.end !== undefined) this.conclude(notification);
    return this.#hasEnded;
  }

  /** Observes the end that the turn has now, if any; `notification` may have more fields of that end. */
  conclude(notification: SessionNotification = UNSEEN): void {
    const { end } = this.#turn;
    if (this.#hasEnded || end === undefined) return;
    this.#hasEnded = true;
    if (end.by === "idle") return;
    this.#reason = end.reason;
    if (end.reason === INVALID_OUTPUT) this.#noteInvalidOutput(notification.message);
    const error = errorOfEnd(end.reason, notification);
    // An error that the agent reported has more detail than the reason. The exit of the agent's process is added in any case.
    if (error !== undefined && (this.#errors.length === 0 || error.code !== undefined)) this.#errors.unshift(error);
  }

  /** The result of the ended turn. Waits only for the validator of a Standard Schema; never rejects. */
  async result(): Promise<ResultEvent> {
    const { sessionId, outputFormat } = this.#options;
    const durationMs = Math.round(this.#now() - this.#startedAt);
    const text = this.#text ?? [...this.#deltas.values()].map((pieces) => pieces.join()).join("");
    const wasInterrupted = this.#reason === undefined ? this.#isInterruptRequested : isInterruptedReason(this.#reason);
    // A failed turn has no answer to check: the result states the failure.
    const isExpected = !wasInterrupted && (this.#errors.length === 0 || this.#declared !== undefined);
    const settled = outputFormat !== undefined && isExpected;
    return resultOfTurn({
      sessionId,
      messageId: this.#turn.messageId,
      durationMs,
      messages: this.#messages,
      text,
      tokenUsage: this.#usage(),
      errors: this.#errors,
      wasInterrupted,
      reason: this.#reason,
      ...(settled ? { structured: await settleStructuredOutput(outputFormat, this.#declared, text) } : {}),
    });
  }

  /** A daemon that does not state the turn's usage states the session's, which is the sum of all turns. */
  #usage(): TokenUsage | null {
    if (this.#tokenUsage !== undefined) return this.#tokenUsage;
    return this.#totalUsage === undefined ? null : usageSince(this.#totalUsage, this.#turn.usageBefore);
  }

  /**
   * False also for the end of the last turn before this one. It was applied before, so that this turn is no longer behind
   * another.
   */
  #isOfThisTurn({ type }: SessionNotification): boolean {
    const { isBehind, end } = this.#turn;
    const wasBehind = this.#wasBehind;
    this.#wasBehind = isBehind;
    return !isBehind && !(wasBehind && type === "agent_turn_completed" && end === undefined);
  }

  #collect(notification: SessionNotification, events: readonly BridgedEvent[]): void {
    for (const event of events) {
      if (event.type === "assistant") this.#text = event.text;
      if (event.type === "error") this.#errors.push(errorOfEvent(event));
      if (event.type === "error" && event.errorType === INVALID_OUTPUT) this.#noteInvalidOutput(event.message);
      if (isDefaultEvent(event)) this.#messages.push(event);
    }
    switch (notification.type) {
      case "assistant_text_delta":
        // Only until a whole message was received, so that a long turn is not kept twice.
        if (this.#text === undefined && typeof notification.textDelta === "string")
          this.#addDelta(notification.messageId, notification.textDelta);
        break;
      case "session_token_usage_changed":
      case "structured_output":
      case "agent_turn_completed":
      case "assistant_message_retracted":
        if (isKnownNotification(notification)) this.#note(notification);
    }
  }

  /** The agent could not give its answer the requested format. */
  #noteInvalidOutput(message: unknown): void {
    if (this.#declared?.error !== undefined) return;
    const text = typeof message === "string" ? message : "The agent's answer does not have the requested format.";
    this.#declared = { value: undefined, error: { code: "invalid_structured_output", message: text } };
  }

  #note(notification: KnownSessionNotification): void {
    switch (notification.type) {
      case "session_token_usage_changed":
        this.#totalUsage = notification.tokenUsage;
        break;
      case "agent_turn_completed":
        this.#tokenUsage = notification.tokenUsage;
        break;
      case "structured_output": {
        const { structuredOutput, structuredOutputError: error } = notification;
        this.#declared = { value: structuredOutput, ...withoutUndefined({ error }) };
        break;
      }
      case "assistant_message_retracted":
        this.#retract(notification.messageId);
    }
  }

  #addDelta(messageId: unknown, textDelta: string): void {
    let pieces = this.#deltas.get(messageId);
    if (pieces === undefined) {
      pieces = new TextPieces();
      this.#deltas.set(messageId, pieces);
    }
    pieces.add(textDelta);
  }

  /** The agent retracted a message (docs/wire/agent-stdio.md#oddities), which is then no part of the result. */
  #retract(messageId: string): void {
    this.#deltas.delete(messageId);
    const index = this.#messages.findIndex((event) => event.type === "assistant" && event.message.id === messageId);
    if (index < 0) return;
    this.#messages.splice(index, 1);
    const last = this.#messages.findLast((event) => event.type === "assistant");
    this.#text = last?.text;
  }
}

/** How an agent reports that its answer does not have the requested format: as a reason, or as the type of an error. */
const INVALID_OUTPUT = "structured_output_invalid";

/** Stands for the notification of a turn's end that was not received. */
const UNSEEN: SessionNotification = { type: "unseen" };

const DEFAULT_TYPES: ReadonlySet<string> = new Set(["assistant", "user", "tool_call", "tool_result", "hook", "error"]);

function isDefaultEvent(event: BridgedEvent): event is DefaultEvent {
  return DEFAULT_TYPES.has(event.type);
}
