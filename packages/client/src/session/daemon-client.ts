import {
  type CallOptions,
  type InitializeSessionParams,
  type InitializeSessionResult,
  type LoadSessionParams,
  type LoadSessionResult,
  METHODS,
  newId,
  type ParamsOf,
  ProtocolError,
  type ResultOf,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import type { AskUserReply, AskUserRequest, Handlers, PermissionAnswer, PermissionRequest } from "../base/index.js";
import { type SessionCallParams, SessionCalls, type SessionMethod } from "./session-calls.js";
import { type DaemonClientOptions, SessionCore } from "./session-core.js";
import type { SessionCredit } from "./session-credit.js";
import type { NotificationListener, ObservedFeed, SessionObserver } from "./session-feed.js";

/**
 * The typed calls of one session. Each call gets the session's id and the credential; values that a caller passes for them
 * are overwritten.
 *
 * The lower half of `DaemonSession`, for callers that need the wire's methods unchanged. Before `initializeSession` or
 * `loadSession` there is no session, and other calls throw SESSION_STATE.
 */
export class DaemonClient extends SessionCalls {
  readonly #core: SessionCore;

  constructor(options: DaemonClientOptions) {
    super();
    this.#core = new SessionCore(options);
  }

  /**
   * Flow control of this session, for consumers of events other than listeners; undefined where the daemon does not offer
   * `credit`.
   */
  get credit(): SessionCredit | undefined {
    return this.#core.credit;
  }

  /** The session's id; undefined before there is one. */
  get sessionId(): string | undefined {
    return this.#core.sessionId;
  }

  /** Whether calls are possible: there is a session, and neither the session nor the connection was closed. */
  get isConnected(): boolean {
    return this.#core.isConnected;
  }

  /** Throws the error of a call that has no session or no connection; returns if there are both. */
  assertConnected(): void {
    this.#core.requireSession();
  }

  /** `initialize_session`: makes a session. Its id is set before any later frame is read. */
  async initializeSession(
    params: Omit<InitializeSessionParams, "token">,
    options: CallOptions = {},
  ): Promise<InitializeSessionResult> {
    this.#core.assertUnbound();
    return this.#core.calls.request(
      METHODS.initializeSession,
      { ...this.#core.extensions(), ...this.#ownId(), ...params, token: this.#core.options.token },
      { ...options, onResult: (result) => this.#core.bind(sessionIdOf(result)).opened(Object(result).position) },
    );
  }

  /**
   * With an id that the client chose, the call can be repeated on another link and makes one session. A plain daemon chooses the
   * id itself.
   */
  #ownId(): { sessionId?: string } {
    return this.#core.options.capabilities?.resume === true ? { sessionId: newId() } : {};
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
    this.#core.assertUnbound();
    this.#core.bind(sessionId);
    try {
      const full = { ...this.#core.extensions(), ...params, sessionId, token: this.#core.options.token };
      return await this.#core.calls.request(METHODS.loadSession, full, {
        ...options,
        onResult: (result) => {
          options.onResult?.(result);
          this.#core.attachment.opened(Object(result).position);
          const { pendingPermissions, pendingAskUserRequests } = result as LoadSessionResult;
          this.#core.inbox.restore(sessionId, pendingPermissions, pendingAskUserRequests);
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
    const full = { ...params, sessionId: this.#core.requireSession() } as unknown as ParamsOf<M>;
    return this.#core.calls.request(method, full, options);
  }

  /**
   * Interrupts the running turn. With `turnInterrupt`, only the turn of `messageId`, and the call is repeated when its link is
   * lost.
   */
  interruptTurn(messageId: string | undefined, options?: CallOptions): Promise<unknown> {
    const isOffered = this.#core.options.capabilities?.turnInterrupt === true;
    return this.interruptSession(isOffered ? withoutUndefined({ messageId }) : {}, options);
  }

  /** Calls back with every notification of the session, in order, from now on; the returned function stops it. */
  onNotification(listener: NotificationListener): () => void {
    return this.#core.feed.listen(listener);
  }

  /** Sets the observer of the session, before there is a session. Returns the feed that is observed. */
  observe(observer: SessionObserver): ObservedFeed {
    this.#core.feed.observer = observer;
    return this.#core.feed;
  }

  /** Adds handlers of a further handle of this session; the returned function removes them. */
  addHandlers(handlers: Handlers): () => void {
    return this.#core.inbox.addHandlers(handlers);
  }

  /** Removes handlers that {@link addHandlers} added. */
  removeHandlers(handlers: Handlers): void {
    this.#core.inbox.removeHandlers(handlers);
  }

  /** How many requests of either kind wait for an answer. */
  get pendingRequests(): number {
    return this.#core.inbox.size;
  }

  /** Permission requests that wait for an answer, oldest first. */
  getPendingPermissionRequests(): PermissionRequest[] {
    return this.#core.inbox.permissions();
  }

  /** Questions that wait for an answer, oldest first. */
  getPendingAskUserRequests(): AskUserRequest[] {
    return this.#core.inbox.questions();
  }

  /** Answers a waiting permission request; REQUEST_NOT_PENDING when none of that id waits. */
  respondToPermission(requestId: string, answer: PermissionAnswer): void {
    this.#core.requireSession();
    this.#core.inbox.answer("permission", requestId, answer);
  }

  /** Answers a waiting question; REQUEST_NOT_PENDING when none of that id waits. */
  respondToAskUser(requestId: string, reply: AskUserReply): void {
    this.#core.requireSession();
    this.#core.inbox.answer("question", requestId, reply);
  }

  /**
   * Drops the session's frames from now on; later calls throw `reason`. Nothing is sent to the daemon. A second call does
   * nothing.
   */
  detach(reason: Error): void {
    this.#core.detach(reason);
  }
}

function sessionIdOf(result: unknown): string {
  const sessionId: unknown = Reflect.get(Object(result), "sessionId");
  if (typeof sessionId === "string" && sessionId !== "") return sessionId;
  throw new ProtocolError("INVALID_RESULT", "The daemon's answer to initialize_session names no session.");
}
