import { DroidMessageType, type EventPosition, type FollowedEvent, type SessionFollow } from "@daemon-sdk/client";
import { DaemonError, type InboxRequest } from "@daemon-sdk/protocol";
import type { HttpDaemon, ServedDaemon } from "../daemon/index.js";

/** What the gateway sends of a session: an event of a turn, or the requests that are pending now. */
export type SessionNews =
  | { readonly type: "event"; readonly event: FollowedEvent }
  | { readonly type: "requests"; readonly requests: readonly InboxRequest[] };

/** Options of {@link SessionEvents}. */
export interface SessionEventsOptions {
  readonly sessionId: string;
  /** Default: from now on. */
  readonly after?: EventPosition | undefined;
  /** Whether events of parts of messages are news, too. */
  readonly partial: boolean;
  readonly signal: AbortSignal;
}

const {
  Assistant,
  User,
  ToolCall,
  ToolResult,
  Hook,
  Error: Failure,
  SessionNotice,
  RequestOpened,
  Gap,
  Result,
} = DroidMessageType;

/** Events that everybody gets. */
const DEFAULT_TYPES: ReadonlySet<string> = new Set([
  Assistant,
  User,
  ToolCall,
  ToolResult,
  Hook,
  Failure,
  SessionNotice,
  RequestOpened,
  Gap,
  Result,
]);

/** Events at which requests become pending, or cease to be. */
const REQUEST_TYPES: ReadonlySet<string> = new Set([
  RequestOpened,
  DroidMessageType.WorkingStateChanged,
  DroidMessageType.PermissionResolved,
  DroidMessageType.AskUserResolved,
  Result,
]);

/**
 * The events of a session after a position, and its pending requests.
 *
 * Parts of messages are always read, and left out here where they are not wanted. So a position is the same for every reader, and a
 * reader may continue with another choice.
 */
export class SessionEvents {
  readonly #daemon: HttpDaemon;
  readonly #options: SessionEventsOptions;
  readonly #follow: SessionFollow;
  #position: EventPosition;
  #requests = "[]";
  #mayHaveRequests = true;

  private constructor(daemon: HttpDaemon, options: SessionEventsOptions, after: EventPosition) {
    const { sessionId, signal } = options;
    this.#daemon = daemon;
    this.#options = options;
    this.#position = after;
    this.#follow = daemon.follow(sessionId, { after, includePartialMessages: true, signal });
  }

  /** Begins to read. Rejects where the session does not exist, before any event. */
  static open({ onSession }: Pick<ServedDaemon, "onSession">, options: SessionEventsOptions): Promise<SessionEvents> {
    return onSession(options.sessionId, async (daemon) => {
      const end = daemon.follow(options.sessionId);
      const now = await end.begin;
      await end.return();
      return new SessionEvents(daemon, options, options.after ?? now);
    });
  }

  /** The position of the last event that was read, whether or not it was news. */
  get position(): EventPosition {
    return this.#position;
  }

  /** The next news; undefined when the signal has ended the reading. One call at a time. */
  async next(): Promise<SessionNews | undefined> {
    for (;;) {
      if (this.#mayHaveRequests) {
        const news = await this.pendingRequests();
        if (news !== undefined) return news;
      }
      const { value: event } = await this.#follow.next();
      if (event === undefined) return undefined;
      this.#position = event.position;
      this.#mayHaveRequests = REQUEST_TYPES.has(event.type);
      if (this.#options.partial || DEFAULT_TYPES.has(event.type)) return { type: "event", event };
    }
  }

  /** The pending requests, where they are not those that were read last. */
  async pendingRequests(): Promise<SessionNews | undefined> {
    this.#mayHaveRequests = false;
    const requests = await this.#list();
    const text = JSON.stringify(requests.map(({ requestId }) => requestId));
    if (text === this.#requests) return undefined;
    this.#requests = text;
    return { type: "requests", requests };
  }

  async #list(): Promise<InboxRequest[]> {
    const { sessionId, signal } = this.#options;
    if (signal.aborted) return [];
    try {
      return await this.#daemon.listRequests({ sessionId });
    } catch (error) {
      // A daemon without an inbox has no requests that an HTTP call could answer.
      if (DaemonError.is(error, "METHOD_NOT_FOUND")) return [];
      throw error;
    }
  }
}
