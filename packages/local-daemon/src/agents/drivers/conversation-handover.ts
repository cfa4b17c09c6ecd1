import { isRecord, type SessionNotification, type SessionNotificationParams } from "@daemon-sdk/protocol";

/** Notifications of the conversation itself. Others may be passed through from a subagent, or name no session. */
const OF_CONVERSATION: ReadonlySet<string> = new Set([
  "droid_working_state_changed",
  "create_message",
  "agent_turn_completed",
  "session_title_updated",
]);

/** Ids of other conversations that are remembered; the oldest are forgotten past it. */
const REMEMBERED = 1_000;

/**
 * Notices when an agent goes on in another conversation.
 *
 * `droid exec` begins one when a plan is approved with `proceed_new_session`: what comes then carries another id, and the
 * conversation of the old id knows nothing of it. Ids of subagents, and of sessions that the agent made by a call, are no such
 * ids.
 */
export class ConversationHandover {
  readonly #others = new Set<string>();

  /** The id under which the conversation goes on; undefined when it is still `currentId`. */
  newIdIn({ sessionId, notification }: SessionNotificationParams, currentId: string): string | undefined {
    this.#noteChildren(notification);
    if (!OF_CONVERSATION.has(notification.type)) return undefined;
    if (typeof sessionId !== "string" || sessionId === "" || sessionId === currentId) return undefined;
    return this.#others.has(sessionId) ? undefined : sessionId;
  }

  /** The agent answered a call: a session that the answer names is another one. */
  noteAnswer(result: unknown): void {
    if (isRecord(result)) this.#note(result.newSessionId);
  }

  #noteChildren({ childSessionId, workerSessionId, update }: SessionNotification): void {
    this.#note(childSessionId);
    this.#note(workerSessionId);
    if (isRecord(update)) this.#note(update.subagentSessionId);
  }

  #note(id: unknown): void {
    if (typeof id !== "string") return;
    this.#others.add(id);
    const [oldest] = this.#others;
    if (this.#others.size > REMEMBERED && oldest !== undefined) this.#others.delete(oldest);
  }
}
