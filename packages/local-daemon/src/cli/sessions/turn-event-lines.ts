import {
  type AgentTurnCompleted,
  type BridgedEvent,
  errorOfEnd,
  errorOfEvent,
  isInterruptedReason,
  isKnownNotification,
  MessageBridge,
  type ResultEvent,
  resultOfTurn,
  type SessionNotification,
  type TurnError,
} from "@daemon-sdk/protocol";

/**
 * The events of a session as a stream of the SDK has them, `includePartialMessages` set, with a `result` at the end of each turn. The
 * result's `messages` are empty, because they are the lines before it.
 */
export class TurnEventLines {
  readonly #sessionId: string;
  #bridge = new MessageBridge({ includePartialMessages: true });
  #text = "";
  #errors: TurnError[] = [];

  constructor(sessionId: string) {
    this.#sessionId = sessionId;
  }

  /** The events of one notification, in order. */
  push(notification: SessionNotification): (BridgedEvent | ResultEvent)[] {
    const events: (BridgedEvent | ResultEvent)[] = this.#bridge.push(notification);
    for (const event of events) {
      if (event.type === "assistant") this.#text = event.text;
      if (event.type === "error") this.#errors.push(errorOfEvent(event));
    }
    if (isKnownNotification(notification) && notification.type === "agent_turn_completed") {
      events.push(this.#result(notification));
    }
    return events;
  }

  #result(end: AgentTurnCompleted): ResultEvent {
    const { reason, turnId = "", durationMs = 0, tokenUsage = null } = end;
    const error = errorOfEnd(reason, end);
    const isNews = error !== undefined && (this.#errors.length === 0 || error.code !== undefined);
    const result = resultOfTurn({
      sessionId: this.#sessionId,
      messageId: turnId,
      durationMs,
      messages: [],
      text: this.#text,
      tokenUsage,
      errors: isNews ? [error, ...this.#errors] : this.#errors,
      wasInterrupted: isInterruptedReason(reason),
      reason,
    });
    this.#bridge = new MessageBridge({ includePartialMessages: true });
    this.#text = "";
    this.#errors = [];
    return result;
  }
}
