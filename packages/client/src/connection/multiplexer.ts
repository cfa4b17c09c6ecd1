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

/** One session's end of the shared socket: what the multiplexer hands that session's traffic to. */
export interface SessionView {
  /** How far it has come; grows with every entry that came in its place. */
  readonly progress: number;
  /** A notification of this session, in the order the daemon told them. */
  onNotification(notification: SessionNotification, inbound: InboundNotification): void;
  /** A request of the daemon about this session; the same answers as `ProtocolEngine.onRequest` takes. */
  onRequest(request: InboundRequest): unknown;
  /** A request came again that is being handled, or was answered, on this link. */
  onRepeatedRequest(request: InboundRequest): void;
  /** A new link stands in for one that was lost: attaches the session to it. Rejects when that link is of no use either. */
  reattach(link: NewLink): Promise<void>;
  /** The connection ended, by whichever side; called once, and nothing after it. */
  onConnectionEnd(error: ConnectionError): void;
}

/** What a session needs to know of a link that stands in for a lost one. */
export interface NewLink {
  readonly engine: ProtocolEngine;
  readonly capabilities: DaemonCapabilities;
  /** Goes into `token` of `load_session`; a daemon that was started again may want another one. */
  readonly token: string;
}

/** Options of {@link SharedTransportMultiplexer}. */
export interface MultiplexerOptions {
  readonly logger?: Logger;
  /** Whether the daemon keeps requests that nobody answers (`capabilities.inbox`); asked when it matters. Default: no. */
  readonly isInboxOffered?: () => boolean;
  /** For the time-outs of calls. Default: the computer's. */
  readonly clock?: Clock;
}

/**
 * Many sessions over one connection: hands each frame to the one session it is about, by `params.sessionId`.
 *
 * One `Map` look-up per frame, whatever the number of sessions. A frame for a session that is not attached is counted and
 * logged, never broadcast, so no session sees or answers another's. Responses need no routing: the engine knows its calls.
 */
export class SharedTransportMultiplexer {
  /** The calls of the connection, over all its links. */
  readonly calls: ConnectionCalls;
  /** Frames that went to no session: `unknownSession` named one that is not attached, `unnamed` named none. */
  readonly counters = { unknownSession: 0, unnamed: 0 };

  readonly #logger: Logger;
  readonly #isInboxOffered: () => boolean;
  readonly #views = new Map<string, SessionView>();
  #end: ConnectionError | undefined;

  /** @param engine of the first link; without one, {@link listen} and `calls` are to be told of it */
  constructor(engine: ProtocolEngine | undefined, options: MultiplexerOptions = {}) {
    this.#logger = options.logger ?? silentLogger;
    this.#isInboxOffered = options.isInboxOffered ?? (() => false);
    this.calls = new ConnectionCalls(options.clock);
    if (engine === undefined) return;
    this.listen(engine);
    this.calls.use(engine);
    this.calls.open(false);
  }

  /** Takes what comes on a link; to be called in the tick its engine is made. */
  listen(engine: ProtocolEngine): void {
    engine.onNotification = this.#onNotification;
    engine.onRequest = (request) => this.#request(request);
    engine.onRepeatedRequest = (request) =>
      this.#viewOf(sessionOf(request), request.method)?.onRepeatedRequest(request);
  }

  /** Attaches all sessions to a new link, at once. Rejects when it is lost meanwhile. */
  async reattach(link: NewLink): Promise<void> {
    await Promise.all([...this.#views.values()].map((view) => view.reattach(link)));
  }

  /** How far all sessions have come: larger when any entry has come in its place since. */
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
   * Routes that session's frames to `view` from now on; gives back what ends it. Throws SESSION_ALREADY_ATTACHED for a second
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

  /** Tells every view that the connection has ended, once, and detaches them. */
  end(error: ConnectionError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    const views = [...this.#views.values()];
    this.#views.clear();
    this.calls.end(error);
    for (const view of views) view.onConnectionEnd(error);
  }

  // A property, so that an engine calls it without a function between.
  readonly #onNotification = (inbound: InboundNotification): void => {
    const { method, params } = inbound;
    if (method !== "session_notification" || !isSessionNotificationParams(params)) {
      this.#logger.debug({ method }, "A notification about no session was dropped");
      return;
    }
    this.#viewOf(params.sessionId, method)?.onNotification(params.notification, inbound);
  };

  #request(request: InboundRequest): unknown {
    const sessionId = sessionOf(request);
    const view = this.#viewOf(sessionId, request.method);
    if (view !== undefined) return view.onRequest(request);
    // Another connection may answer it; a daemon that keeps no requests would wait for ours.
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
