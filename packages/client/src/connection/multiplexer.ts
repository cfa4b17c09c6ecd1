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

/** One session's end of the shared socket, to which the multiplexer passes that session's frames. */
export interface SessionView {
  /** The `seq` of the last entry received in order; it grows with every such entry. */
  readonly progress: number;
  /** A notification of this session, in the order in which the daemon sent them. */
  onNotification(notification: SessionNotification, inbound: InboundNotification): void;
  /** A batch of such notifications. One that cannot be read is dropped, and is missing before the next one. */
  onBatch(inbound: InboundNotification): void;
  /** A request of the daemon about this session. Returns what `ProtocolEngine.onRequest` returns. */
  onRequest(request: InboundRequest): unknown;
  /** A request was received again that is being handled, or was answered, on this link. */
  onRepeatedRequest(request: InboundRequest): void;
  /** Attaches the session to a new link, which replaces a lost one. Rejects when the new link is lost, too. */
  reattach(link: NewLink): Promise<void>;
  /** The connection was ended by either side. Called once, and no other method after it. */
  onConnectionEnd(error: ConnectionError): void;
}

/** What a session needs of a link that replaces a lost one. */
export interface NewLink {
  readonly engine: ProtocolEngine;
  readonly capabilities: DaemonCapabilities;
  /** The `token` of `load_session`. A daemon that was started again may require another one than before. */
  readonly token: string;
}

/** Options of {@link SharedTransportMultiplexer}. */
export interface MultiplexerOptions {
  readonly logger?: Logger;
  /**
   * Whether the daemon keeps requests that nobody answers (`capabilities.inbox`). Called for each request about an unknown
   * session. Default: no.
   */
  readonly isInboxOffered?: () => boolean;
  /** Clock of the time-outs of calls. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Many sessions over one connection: passes each frame to the one session that `params.sessionId` names.
 *
 * One `Map` look-up per frame, whatever the number of sessions. A frame for a session that is not attached is counted and
 * logged, and never broadcast: no session receives or answers frames of another. The engine matches responses to its calls.
 */
export class SharedTransportMultiplexer {
  /** The calls of the connection, over all its links. */
  readonly calls: ConnectionCalls;
  /** Frames that were dropped: `unknownSession` named a session that is not attached, `unnamed` named none. */
  readonly counters = { unknownSession: 0, unnamed: 0 };

  readonly #logger: Logger;
  readonly #isInboxOffered: () => boolean;
  readonly #views = new Map<string, SessionView>();
  #end: ConnectionError | undefined;

  /** @param engine of the first link; without an engine, the caller passes it to {@link listen} and to `calls` later */
  constructor(engine: ProtocolEngine | undefined, options: MultiplexerOptions = {}) {
    this.#logger = options.logger ?? silentLogger;
    this.#isInboxOffered = options.isInboxOffered ?? (() => false);
    this.calls = new ConnectionCalls(options.clock);
    if (engine === undefined) return;
    this.listen(engine);
    this.calls.use(engine);
    this.calls.open(false);
  }

  /** Receives the frames of a link. Has to be called in the tick in which the link's engine is made. */
  listen(engine: ProtocolEngine): void {
    engine.onNotification = this.#onNotification;
    engine.onRequest = (request) => this.#request(request);
    engine.onRepeatedRequest = (request) =>
      this.#viewOf(sessionOf(request), request.method)?.onRepeatedRequest(request);
  }

  /** Attaches all sessions to a new link, concurrently. Rejects when the link is lost meanwhile. */
  async reattach(link: NewLink): Promise<void> {
    await Promise.all([...this.#views.values()].map((view) => view.reattach(link)));
  }

  /** Sum over all sessions of {@link SessionView.progress}: it has grown if any session received an entry in order. */
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
   * Routes that session's frames to `view` from now on. Returns a function that ends the routing. Throws
   * SESSION_ALREADY_ATTACHED for a second view of one session, and the connection's error after the connection's end.
   */
  attach(sessionId: string, view: SessionView): () => void {
    if (this.#end !== undefined) throw this.#end;
    if (this.#views.has(sessionId)) {
      throw new SessionError(
        "SESSION_ALREADY_ATTACHED",
        `Session ${sessionId} has a handle on this connection already. Use that handle, or detach it first.`,
        { sessionId },
      );
    }
    this.#views.set(sessionId, view);
    return () => this.detach(sessionId, view);
  }

  /** Ends the routing of that session's frames to `view`; without effect where another view has taken its place. */
  detach(sessionId: string, view: SessionView): void {
    if (this.#views.get(sessionId) === view) this.#views.delete(sessionId);
  }

  /** Detaches every view, and notifies each once that the connection has ended. */
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
    if (method === "session_notifications") this.#viewOf(sessionOf(inbound), method)?.onBatch(inbound);
    else if (method === "session_notification" && isSessionNotificationParams(params))
      this.#viewOf(params.sessionId, method)?.onNotification(params.notification, inbound);
    else this.#logger.debug({ method }, "A notification about no session was dropped");
  };

  #request(request: InboundRequest): unknown {
    const sessionId = sessionOf(request);
    const view = this.#viewOf(sessionId, request.method);
    if (view !== undefined) return view.onRequest(request);
    // Another connection may answer the request. A daemon that keeps no requests waits for this one's answer.
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

function sessionOf({ params: { sessionId } }: Pick<InboundRequest, "params">): string | undefined {
  return typeof sessionId === "string" ? sessionId : undefined;
}
