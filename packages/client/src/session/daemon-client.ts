import {
  type CallOptions,
  type ConnectionError,
  type Credit,
  type DaemonCapabilities,
  type FollowSessionResult,
  type InitializeSessionParams,
  type InitializeSessionResult,
  type LoadSessionParams,
  type LoadSessionResult,
  type Logger,
  METHODS,
  newId,
  type ParamsOf,
  ProtocolError,
  type ResultOf,
  SessionError,
  silentLogger,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import type { AskUserReply, AskUserRequest, Handlers, PermissionAnswer, PermissionRequest } from "../base/index.js";
import type { SharedTransportMultiplexer } from "../connection/index.js";
import { creditWire } from "./credit-wire.js";
import { RequestInbox } from "./request-inbox.js";
import { SessionAttachment } from "./session-attachment.js";
import { type SessionCallParams, SessionCalls, type SessionMethod } from "./session-calls.js";
import { SessionCredit } from "./session-credit.js";
import { type NotificationListener, type ObservedFeed, SessionFeed, type SessionObserver } from "./session-feed.js";

/** Options of {@link DaemonClient}. */
export interface DaemonClientOptions {
  readonly multiplexer: SharedTransportMultiplexer;
  /** Repeated as `token` of `initialize_session` and `load_session`, which require one. */
  readonly token: string;
  readonly capabilities?: DaemonCapabilities;
  readonly handlers?: Handlers;
  /** Failures that no call rejects with. Default: the logger. */
  readonly onError?: (error: Error) => void;
  /** Called once when the connection ends under this session. */
  readonly onConnectionEnd?: (error: ConnectionError) => void;
  readonly logger?: Logger;
}

/**
 * The typed calls of one session. Each call gets the session's id and the credential; values that a caller passes for them
 * are overwritten.
 *
 * The lower half of `DaemonSession`, for callers that need the wire's methods unchanged. Before `initializeSession` or
 * `loadSession` there is no session, and other calls throw SESSION_STATE.
 */
export class DaemonClient extends SessionCalls {
  /**
   * Flow control of this session, for consumers of events other than listeners; undefined where the daemon does not offer
   * `credit`.
   */
  readonly credit: SessionCredit | undefined;
  readonly #options: DaemonClientOptions;
  readonly #multiplexer: SharedTransportMultiplexer;
  readonly #logger: Logger;
  readonly #inbox: RequestInbox;
  readonly #feed: SessionFeed;
  readonly #attachment: SessionAttachment;
  #sessionId: string | undefined;
  #detachView: (() => void) | undefined;
  /** Why no call is possible any more; set once. */
  #end: Error | undefined;

  constructor(options: DaemonClientOptions) {
    super();
    this.#options = options;
    this.#multiplexer = options.multiplexer;
    this.#logger = options.logger ?? silentLogger;
    this.#inbox = new RequestInbox({
      handlers: options.handlers ?? {},
      isKeptByDaemon: options.capabilities?.inbox === true,
      respond: (requestId, result) => this.#multiplexer.calls.respond(requestId, result),
      onError: (error) => this.#report(error),
      logger: this.#logger,
    });
    this.credit = this.#newCredit();
    this.#feed = this.#newFeed();
    this.#attachment = new SessionAttachment({
      cursor: this.#feed,
      inbox: this.#inbox,
      logger: this.#logger,
      sessionId: () => this.#requireSession(),
      extensions: () => this.#extensions(),
      onAttached: () => this.credit?.attached(),
      onGap: (gap) => this.#feed.observer?.onGap(gap),
      onLost: (error) => {
        this.detach(error);
        this.#feed.observer?.fail(error);
      },
    });
  }

  #newFeed(): SessionFeed {
    const { multiplexer, capabilities, onConnectionEnd } = this.#options;
    return new SessionFeed({
      clock: multiplexer.calls.clock,
      offersTurns: capabilities?.turns === true,
      attachment: () => this.#attachment,
      inbox: this.#inbox,
      credit: this.credit,
      sessionId: () => this.#requireSession(),
      reattach: () => this.#reattach(),
      onError: (error) => this.#report(error),
      onConnectionEnd: (error) => {
        this.detach(error);
        onConnectionEnd?.(error);
      },
    });
  }

  #reattach(): void {
    const { engine } = this.#multiplexer.calls;
    const { token, capabilities = {} } = this.#options;
    // If the link is lost meanwhile, the session is resumed on the next link.
    if (engine !== undefined) this.#attachment.reattach({ engine, token, capabilities }).catch(() => {});
  }

  /** The session's id; undefined before there is one. */
  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  /** Whether calls are possible: there is a session, and neither the session nor the connection was closed. */
  get isConnected(): boolean {
    return this.#sessionId !== undefined && this.#end === undefined;
  }

  /** Throws the error of a call that has no session or no connection; returns if there are both. */
  assertConnected(): void {
    this.#requireSession();
  }

  /** `initialize_session`: makes a session. Its id is set before any later frame is read. */
  async initializeSession(
    params: Omit<InitializeSessionParams, "token">,
    options: CallOptions = {},
  ): Promise<InitializeSessionResult> {
    this.#assertUnbound();
    return this.#multiplexer.calls.request(
      METHODS.initializeSession,
      { ...this.#extensions(), ...this.#ownId(), ...params, token: this.#options.token },
      { ...options, onResult: (result) => this.#bind(sessionIdOf(result)).opened(Object(result).position) },
    );
  }

  /**
   * With an id that the client chose, the call can be repeated on another link and makes one session. A plain daemon chooses the
   * id itself.
   */
  #ownId(): { sessionId?: string } {
    return this.#options.capabilities?.resume === true ? { sessionId: newId() } : {};
  }

  /**
   * `inbox`: this client does not answer requests for which it has no handler. `credit`: how many events to send. Each is sent
   * only to a daemon that offers it.
   */
  #extensions(): { inbox?: true; credit?: Credit } {
    return {
      ...(this.#options.capabilities?.inbox === true ? { inbox: true } : {}),
      ...withoutUndefined({ credit: this.credit?.attaching() }),
    };
  }

  /**
   * `load_session`: attaches to a session that exists. The session's frames are received from the moment this call is sent,
   * because a running session sends some before the result. Requests that wait in the session are passed to the handlers.
   */
  async loadSession(
    sessionId: string,
    params: Omit<LoadSessionParams, "sessionId" | "token"> = {},
    options: CallOptions = {},
  ): Promise<LoadSessionResult> {
    this.#assertUnbound();
    this.#bind(sessionId);
    try {
      const full = { ...this.#extensions(), ...params, sessionId, token: this.#options.token };
      return await this.#multiplexer.calls.request(METHODS.loadSession, full, {
        ...options,
        onResult: (result) => {
          options.onResult?.(result);
          this.#attachment.opened(Object(result).position);
          this.#restore(sessionId, result as LoadSessionResult);
        },
      });
    } catch (error) {
      this.detach(error as Error);
      throw error;
    }
  }

  async call<M extends SessionMethod>(
    method: M,
    params: SessionCallParams<M>,
    options?: CallOptions,
  ): Promise<ResultOf<M>> {
    const full = { ...params, sessionId: this.#requireSession() } as unknown as ParamsOf<M>;
    return this.#multiplexer.calls.request(method, full, options);
  }

  /**
   * Interrupts the running turn. With `turnInterrupt`, only the turn of `messageId`, and the call is repeated when its link is
   * lost.
   */
  interruptTurn(messageId: string | undefined, options?: CallOptions): Promise<unknown> {
    const isOffered = this.#options.capabilities?.turnInterrupt === true;
    return this.interruptSession(isOffered ? withoutUndefined({ messageId }) : {}, options);
  }

  /** Calls back with every notification of the session, in order, from now on; the returned function stops it. */
  onNotification(listener: NotificationListener): () => void {
    return this.#feed.listen(listener);
  }

  /** Sets the observer of the session, before there is a session. Returns the feed that is observed. */
  observe(observer: SessionObserver): ObservedFeed {
    this.#feed.observer = observer;
    return this.#feed;
  }

  /** Adds handlers of a further handle of this session; the returned function removes them. */
  addHandlers(handlers: Handlers): () => void {
    return this.#inbox.addHandlers(handlers);
  }

  /** How many requests of either kind wait for an answer. */
  get pendingRequests(): number {
    return this.#inbox.size;
  }

  /** Permission requests that wait for an answer, oldest first. */
  getPendingPermissionRequests(): PermissionRequest[] {
    return this.#inbox.permissions();
  }

  /** Questions that wait for an answer, oldest first. */
  getPendingAskUserRequests(): AskUserRequest[] {
    return this.#inbox.questions();
  }

  /** Answers a waiting permission request; REQUEST_NOT_PENDING when none of that id waits. */
  respondToPermission(requestId: string, answer: PermissionAnswer): void {
    this.#requireSession();
    this.#inbox.answer("permission", requestId, answer);
  }

  /** Answers a waiting question; REQUEST_NOT_PENDING when none of that id waits. */
  respondToAskUser(requestId: string, reply: AskUserReply): void {
    this.#requireSession();
    this.#inbox.answer("question", requestId, reply);
  }

  /**
   * Drops the session's frames from now on; later calls throw `reason`. Nothing is sent to the daemon. A second call does
   * nothing.
   */
  detach(reason: Error): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    this.#detachView?.();
    this.#inbox.close("The session's handle was closed.");
    this.#feed.close();
  }

  /** Requires `turns`, too: without credit for events, only the notifications of `turns` report the end of a turn. */
  #newCredit(): SessionCredit | undefined {
    const { capabilities } = this.#options;
    if (capabilities?.credit !== true || capabilities.turns !== true) return undefined;
    const sessionId = () => (this.isConnected ? this.#sessionId : undefined);
    const wire = creditWire(this.#multiplexer.calls, sessionId, (error) => {
      this.#feed.observer?.fail(error);
      this.#report(error);
    });
    const onBegin = (result?: FollowSessionResult) => {
      if (result !== undefined) this.#attachment.moveTo(result.position);
      this.#feed.observer?.onBegin(result);
    };
    return new SessionCredit(wire, onBegin, capabilities.batches === true);
  }

  #bind(sessionId: string): SessionAttachment {
    this.#detachView = this.#multiplexer.attach(sessionId, this.#feed);
    this.#sessionId = sessionId;
    return this.#attachment;
  }

  #restore(sessionId: string, result: LoadSessionResult): void {
    this.#inbox.restore(sessionId, result.pendingPermissions, result.pendingAskUserRequests);
  }

  #assertUnbound(): void {
    if (this.#end !== undefined) throw this.#end;
    if (this.#sessionId === undefined) return;
    const text = "This client has a session. Make another client for another one.";
    throw new SessionError("SESSION_STATE", text, { sessionId: this.#sessionId });
  }

  #requireSession(): string {
    if (this.#end !== undefined) throw this.#end;
    if (this.#sessionId !== undefined) return this.#sessionId;
    throw new SessionError("SESSION_STATE", "There is no session yet. Call initializeSession() or loadSession().");
  }

  #report(error: Error): void {
    const report = this.#options.onError;
    if (report === undefined) this.#logger.error({ error, sessionId: this.#sessionId }, error.message);
    else report(error);
  }
}

function sessionIdOf(result: unknown): string {
  const sessionId: unknown = Reflect.get(Object(result), "sessionId");
  if (typeof sessionId === "string" && sessionId !== "") return sessionId;
  throw new ProtocolError("INVALID_RESULT", "The daemon's answer to initialize_session names no session.");
}
