import {
  type Clock,
  type ConnectionError,
  type DaemonCapabilities,
  type InboundNotification,
  type InboundRequest,
  isSessionNotificationParams,
  type Logger,
  NO_ANSWER,
  type ProtocolEngine,
  RpcCode,
  RpcFault,
  SessionError,
  type SessionNotification,
  silentLogger,
} from "@daemon-sdk/protocol";
import { ConnectionCalls } from "./connection-calls.js";

/** What the multiplexer passes the frames of one session to. */
export interface SessionView {
  /** Grows with each entry of the session that arrives in order. */
  readonly progress: number;
  /** Called with each notification of the session, in the order in which the daemon sent them. */
  onNotification(notification: SessionNotification, inbound: InboundNotification): void;
  /** Called with each request of the daemon about the session; answers as `ProtocolEngine.onRequest` does. */
  onRequest(request: InboundRequest): unknown;
  /** Called with a request that was sent again on a link on which it is being handled, or was answered. */
  onRepeatedRequest(request: InboundRequest): void;
  /** Attaches the session to the link that replaces a lost one. Rejects when the new link is lost as well. */
  reattach(link: NewLink): Promise<void>;
  /** Called once, when either side has ended the connection; nothing else is called after it. */
  onConnectionEnd(error: ConnectionError): void;
}

/** The link that replaces a lost one, as its sessions need it. */
export interface NewLink {
  readonly engine: ProtocolEngine;
  readonly capabilities: DaemonCapabilities;
  /** Goes into `token` of `load_session`; a restarted daemon may want another one than before. */
  readonly token: string;
}

/** Options of {@link SharedTransportMultiplexer}. */
export interface MultiplexerOptions {
  readonly logger?: Logger;
  /**
   * Whether the daemon keeps unanswered requests (`capabilities.inbox`); called for a request of no attached session. Default: no.
   */
  readonly isInboxOffered?: () => boolean;
  /** The clock of the time-outs of calls. Default: the computer's. */
  readonly clock?: Clock;
}

/**
 * Many sessions over one connection: passes each frame to the session that `params.sessionId` names.
 *
 * One `Map` look-up per frame, whatever the number of sessions. A frame for a session that is not attached is counted and logged,
 * and passed to no other session. Responses need no routing: the engine matches them with its calls.
 */
export class SharedTransportMultiplexer {
  /** The calls of the connection, over all its links. */
  readonly calls: ConnectionCalls;
  /** Dropped frames: `unknownSession` named a session that is not attached, `unnamed` named none. */
  readonly counters = { unknownSession: 0, unnamed: 0 };

  readonly #logger: Logger;
  readonly #isInboxOffered: () => boolean;
  readonly #views = new Map<string, SessionView>();
  #end: ConnectionError | undefined;

  /** @param engine of the first link; without it, call {@link listen}, `calls.use` and `calls.open` for each link */
  constructor(engine: ProtocolEngine | undefined, options: MultiplexerOptions = {}) {
    this.#logger = options.logger ?? silentLogger;
    this.#isInboxOffered = options.isInboxOffered ?? (() => false);
    this.calls = new ConnectionCalls(options.clock);
    if (engine === undefined) return;
    this.listen(engine);
    this.calls.use(engine);
    this.calls.open(false);
  }

  /** Routes the frames of a link; to be called in the tick in which its engine is made. */
  listen(engine: ProtocolEngine): void {
    engine.onNotification = (notification) => this.#notify(notification);
    engine.onRequest = (request) => this.#request(request);
    engine.onRepeatedRequest = (request) =>
      this.#viewOf(sessionOf(request), request.method)?.onRepeatedRequest(request);
  }

  /** Attaches all sessions to a new link, in parallel. Rejects when that link is lost meanwhile. */
  async reattach(link: NewLink): Promise<void> {
    await Promise.all([...this.#views.values()].map((view) => view.reattach(link)));
  }

  /** Sum over all sessions: grows with each entry that arrives in order. */
  get progress(): number {
    let progress = 0;
    for (const view of this.#views.values()) progress += view.progress;
    return progress;
  }

  /** Sessions attached now. */
  get size(): number {
    return this.#views.size;
  }

  /** Whether that session has a view on this connection. */
  has(sessionId: string): boolean {
    return this.#views.has(sessionId);
  }

  /**
   * Routes the frames of a session to `view` until the returned function is called. Throws SESSION_ALREADY_ATTACHED for a second
   * view of one session, and the connection's error once that has ended.
   */
  attach(sessionId: string, view: SessionView): () => void {
    if (this.#end !== undefined) throw this.#end;
    if (this.#views.has(sessionId)) {
      throw new SessionError(
        "SESSION_ALREADY_ATTACHED",
        `Session ${sessionId} has a handle on this connection already. Use that one, or detach it first.`,
        { sessionId },
      );
    }
    this.#views.set(sessionId, view);
    return () => {
      if (this.#views.get(sessionId) === view) this.#views.delete(sessionId);
    };
  }

  /** Ends all calls and views with the connection, and detaches the views; does nothing the second time. */
  end(error: ConnectionError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    const views = [...this.#views.values()];
    this.#views.clear();
    this.calls.end(error);
    for (const view of views) view.onConnectionEnd(error);
  }

  #notify(inbound: InboundNotification): void {
    const { method, params } = inbound;
    if (method !== "session_notification" || !isSessionNotificationParams(params)) {
      this.#logger.debug({ method }, "A notification about no session was dropped");
      return;
    }
    const view = this.#viewOf(params.sessionId, method);
    view?.onNotification(params.notification, inbound);
  }

  #request(request: InboundRequest): unknown {
    const sessionId = sessionOf(request);
    const view = this.#viewOf(sessionId, request.method);
    if (view !== undefined) return view.onRequest(request);
    // Another connection may answer the request; a daemon that keeps no requests would wait for this one.
    if (this.#isInboxOffered()) return NO_ANSWER;
    throw new RpcFault(RpcCode.entityNotFound, "That session is not attached to this connection", { sessionId });
  }

  #viewOf(sessionId: string | undefined, method: string): SessionView | undefined {
    const view = sessionId === undefined ? undefined : this.#views.get(sessionId);
    if (view === undefined) {
      this.counters[sessionId === undefined ? "unnamed" : "unknownSession"] += 1;
      this.#logger.debug({ method, sessionId }, "A frame for no attached session was dropped");
    }
    return view;
  }
}

function sessionOf({ params: { sessionId } }: InboundRequest): string | undefined {
  return typeof sessionId === "string" ? sessionId : undefined;
}
