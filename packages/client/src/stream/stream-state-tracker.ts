import {
  isKnownNotification,
  type KnownSessionNotification,
  type SessionNotification,
  type TokenUsage,
  type TurnEnd,
  TurnTracker,
  type TurnTrackerOptions,
} from "@daemon-sdk/protocol";
import { isDiscarded } from "../session/index.js";
import type { BridgedEvent, DefaultEvent, ResultEvent, StructuredOutputError, TurnError } from "./events.js";
import { type ResolvedOutputFormat, settleStructuredOutput } from "./output-format.js";
import { buildResult, errorOfEnd, errorOfEvent, isInterruptedReason } from "./result.js";
import { TextPieces } from "./text-pieces.js";

// Facts of the wire: docs/wire/session.md#streams, docs/wire/session.md#results, docs/wire/session.md#turn-end

/** Options of {@link StreamStateTracker}. */
export interface StreamStateTrackerOptions extends Omit<TurnTrackerOptions, "isQueued"> {
  readonly sessionId: string;
  /** Turns under way when the prompt was sent, whose ends come first. Default 0. */
  readonly ahead?: number;
  /** What the final answer has to follow; without it no structured output is looked for. */
  readonly outputFormat?: ResolvedOutputFormat;
  /** Milliseconds from any fixed point; for `durationMs`. Default `performance.now`. */
  readonly now?: () => number;
}

/**
 * Follows one turn: when it has ended, and what its result is.
 *
 * Feed it every notification of the session from before the prompt is sent, with the events `MessageBridge` made of it. It
 * knows nothing of sockets or method prefixes, so it works over a daemon's socket and over an agent's stdio alike.
 */
export class StreamStateTracker {
  readonly #options: StreamStateTrackerOptions;
  readonly #turn: TurnTracker;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #messages: DefaultEvent[] = [];
  readonly #errors: TurnError[] = [];
  #text: string | undefined;
  readonly #deltas = new TextPieces();
  #tokenUsage: TokenUsage | null = null;
  #declared: { value: unknown; error?: StructuredOutputError } | undefined;
  #reason: string | undefined;
  #ahead: number;
  #interruptAsked = false;
  #end: TurnEnd | undefined;

  constructor(options: StreamStateTrackerOptions) {
    this.#options = options;
    this.#ahead = options.ahead ?? 0;
    this.#turn = new TurnTracker({ ...options, isQueued: this.#ahead > 0 });
    this.#now = options.now ?? (() => performance.now());
    this.#startedAt = this.#now();
  }

  /** Whether the turn has ended. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Whether the prompt still waits behind an earlier turn, whose events are not ours. */
  get isBehind(): boolean {
    return this.#ahead > 0 && this.#turn.state === "behind";
  }

  /** Whether nothing of this turn was seen yet. */
  get isUntouched(): boolean {
    return this.#turn.state === "behind" || this.#turn.state === "waiting";
  }

  /** This side asked to interrupt: a daemon that only goes idle does not tell that it did so for that. */
  noteInterrupt(): void {
    this.#interruptAsked = true;
  }

  /** Takes one notification and its events in. True once: with it the turn has ended. */
  observe(notification: SessionNotification, events: readonly BridgedEvent[]): boolean {
    if (this.#end !== undefined) return false;
    const end = this.#turn.observe(notification);
    if (!this.isBehind) this.#collect(notification, events);
    // Not every agent shows the prompt again; then the end of the last turn before ours is where ours begins.
    else if (notification.type === "agent_turn_completed") this.#ahead -= 1;
    if (end !== undefined) this.#finish(end, notification);
    // Nothing else would ever be heard of it.
    else if (isDiscarded(notification, this.#options.requestId)) this.#finish(DISCARDED, notification);
    return this.hasEnded;
  }

  /** The turn ended where nobody looked, and nobody can tell how. */
  endedUnseen(): void {
    this.#end ??= { by: "idle" };
  }

  /** The agent's process ended and the daemon tells no more of the turn (`session_process_exited`). */
  agentExited(notification: SessionNotification): void {
    if (this.#end === undefined) this.#finish({ by: "completed", reason: "agent_exited" }, notification);
  }

  /** The result of the ended turn. Waits only for the validator of a Standard Schema; never rejects. */
  async result(): Promise<ResultEvent> {
    const { sessionId, messageId, outputFormat } = this.#options;
    const durationMs = Math.round(this.#now() - this.#startedAt);
    const text = this.#text ?? this.#deltas.join();
    const wasInterrupted = this.#reason === undefined ? this.#interruptAsked : isInterruptedReason(this.#reason);
    // Of a turn that failed no answer is expected: its failure is what the caller has to know.
    const isExpected = !wasInterrupted && (this.#errors.length === 0 || this.#declared !== undefined);
    const settled = outputFormat !== undefined && isExpected;
    return buildResult({
      sessionId,
      messageId,
      durationMs,
      messages: this.#messages,
      text,
      tokenUsage: this.#tokenUsage,
      errors: this.#errors,
      wasInterrupted,
      reason: this.#reason,
      ...(settled ? { structured: await settleStructuredOutput(outputFormat, this.#declared, text) } : {}),
    });
  }

  #finish(end: TurnEnd, notification: SessionNotification): void {
    this.#end = end;
    if (end.by === "idle") return;
    this.#reason = end.reason;
    const error = errorOfEnd(end.reason, notification);
    // What the agent reported itself says more than the reason does; a dead agent is news in any case.
    if (error !== undefined && (this.#errors.length === 0 || error.code !== undefined)) this.#errors.unshift(error);
  }

  #collect(notification: SessionNotification, events: readonly BridgedEvent[]): void {
    for (const event of events) {
      if (event.type === "assistant") this.#text = event.text;
      if (event.type === "error") this.#errors.push(errorOfEvent(event));
      if (isDefaultEvent(event)) this.#messages.push(event);
    }
    switch (notification.type) {
      case "assistant_text_delta":
        // Only read while no whole message has come, so that a long turn is not kept twice.
        if (this.#text === undefined && typeof notification.textDelta === "string")
          this.#deltas.add(notification.textDelta);
        break;
      case "session_token_usage_changed":
      case "structured_output":
      case "agent_turn_completed":
      case "assistant_message_retracted":
        if (isKnownNotification(notification)) this.#note(notification);
    }
  }

  #note(notification: KnownSessionNotification): void {
    switch (notification.type) {
      case "session_token_usage_changed":
        this.#tokenUsage = notification.tokenUsage;
        break;
      case "agent_turn_completed":
        this.#tokenUsage = notification.tokenUsage ?? this.#tokenUsage;
        break;
      case "structured_output": {
        const { structuredOutput, structuredOutputError: error } = notification;
        this.#declared = { value: structuredOutput, ...(error === undefined ? {} : { error }) };
        break;
      }
      case "assistant_message_retracted":
        this.#retract(notification.messageId);
    }
  }

  /** The agent took a message back (docs/wire/agent-stdio.md#oddities): it is no part of the result. */
  #retract(messageId: string): void {
    const index = this.#messages.findIndex((event) => event.type === "assistant" && event.message.id === messageId);
    if (index < 0) return;
    this.#messages.splice(index, 1);
    const last = this.#messages.findLast((event) => event.type === "assistant");
    this.#text = last?.text;
  }
}

/** A prompt that was thrown away with an interrupt ends as one that was interrupted. */
const DISCARDED: TurnEnd = { by: "completed", reason: "cancelled" };

const DEFAULT_TYPES: ReadonlySet<string> = new Set(["assistant", "user", "tool_call", "tool_result", "hook", "error"]);

function isDefaultEvent(event: BridgedEvent): event is DefaultEvent {
  return DEFAULT_TYPES.has(event.type);
}
