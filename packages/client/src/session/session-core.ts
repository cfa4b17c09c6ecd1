import {
  type Clock,
  type ConnectionError,
  type DaemonCapabilities,
  type FollowSessionResult,
  type LoadSessionParams,
  type Logger,
  SessionError,
  silentLogger,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import type { Handlers } from "../base/index.js";
import type { ConnectionCalls, SharedTransportMultiplexer } from "../connection/index.js";
import { CreditCalls, type CreditCallsHost } from "./credit-wire.js";
import { RequestInbox, type RequestInboxHost } from "./request-inbox.js";
import { SessionAttachment, type SessionAttachmentHost, type SessionGap } from "./session-attachment.js";
import { SessionCredit } from "./session-credit.js";
import { SessionFeed, type SessionFeedHost } from "./session-feed.js";

/** Options of `DaemonClient`. Clients of one connection may share the object. */
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
 * One session in the client: its id, its end, and the parts that receive its frames. It is what each part knows of the others.
 *
 * One object instead of a set of functions for each part: a client may hold ten thousand idle sessions.
 */
export class SessionCore implements SessionFeedHost, SessionAttachmentHost, RequestInboxHost, CreditCallsHost {
  readonly credit: SessionCredit | undefined;
  readonly inbox: RequestInbox;
  readonly feed: SessionFeed;
  readonly attachment: SessionAttachment;
  readonly options: DaemonClientOptions;
  /** Undefined before there is a session. */
  sessionId: string | undefined;
  /** Why no call is possible any more; set once. */
  end: Error | undefined;

  constructor(options: DaemonClientOptions) {
    this.options = options;
    this.inbox = new RequestInbox(this);
    this.credit = this.#offersCredit ? new SessionCredit(new CreditCalls(this)) : undefined;
    this.feed = new SessionFeed(this);
    this.attachment = new SessionAttachment(this);
  }

  get calls(): ConnectionCalls {
    return this.options.multiplexer.calls;
  }

  get clock(): Clock {
    return this.calls.clock;
  }

  get logger(): Logger {
    return this.options.logger ?? silentLogger;
  }

  get handlers(): Handlers | undefined {
    return this.options.handlers;
  }

  get offersTurns(): boolean {
    return this.options.capabilities?.turns === true;
  }

  get isKeptByDaemon(): boolean {
    return this.options.capabilities?.inbox === true;
  }

  get offersBatches(): boolean {
    return this.options.capabilities?.batches === true;
  }

  /** Requires `turns`, too: without credit for events, only the notifications of `turns` report the end of a turn. */
  get #offersCredit(): boolean {
    return this.options.capabilities?.credit === true && this.offersTurns;
  }

  get isConnected(): boolean {
    return this.sessionId !== undefined && this.end === undefined;
  }

  /** The session receives its frames from now on. */
  bind(sessionId: string): SessionAttachment {
    this.options.multiplexer.attach(sessionId, this.feed);
    this.sessionId = sessionId;
    return this.attachment;
  }

  /** Throws the error of a call that has no session or no connection. */
  requireSession(): string {
    if (this.end !== undefined) throw this.end;
    if (this.sessionId !== undefined) return this.sessionId;
    throw new SessionError("SESSION_STATE", "There is no session yet. Call initializeSession() or loadSession().");
  }

  /** Throws when there is a session, or was one. */
  assertUnbound(): void {
    if (this.end !== undefined) throw this.end;
    if (this.sessionId === undefined) return;
    const text = "This client has a session. Make another client for another one.";
    throw new SessionError("SESSION_STATE", text, { sessionId: this.sessionId });
  }

  /** Ends the session on this side: no frame of it is handled, and no call is sent. */
  detach(reason: Error): void {
    if (this.end !== undefined) return;
    this.end = reason;
    if (this.sessionId !== undefined) this.options.multiplexer.detach(this.sessionId, this.feed);
    this.inbox.close("The session's handle was closed.");
    this.feed.close();
  }

  /**
   * `inbox`: this client does not answer requests for which it has no handler. `credit`: how many events to send. Each is sent
   * only to a daemon that offers it.
   */
  extensions(): Pick<LoadSessionParams, "inbox" | "credit"> {
    return {
      ...(this.isKeptByDaemon ? { inbox: true } : {}),
      ...withoutUndefined({ credit: this.credit?.attaching() }),
    };
  }

  respond(requestId: string, result: object): boolean {
    return this.calls.respond(requestId, result);
  }

  report(error: Error): void {
    const { onError } = this.options;
    if (onError === undefined) this.logger.error({ error, sessionId: this.sessionId }, error.message);
    else onError(error);
  }

  reattach(): void {
    const { engine } = this.calls;
    const { token, capabilities = {} } = this.options;
    // If the link is lost meanwhile, the session is resumed on the next link.
    if (engine !== undefined) this.attachment.reattach({ engine, token, capabilities }).catch(() => {});
  }

  onConnectionEnd(error: ConnectionError): void {
    this.detach(error);
    this.options.onConnectionEnd?.(error);
    this.feed.observer?.fail(error);
  }

  onAttached(): void {
    this.credit?.attached();
  }

  onGap(gap: SessionGap): void {
    this.feed.observer?.onGap(gap);
  }

  onLost(error: Error): void {
    this.detach(error);
    this.feed.observer?.fail(error);
  }

  onCreditRefused(error: Error): void {
    this.feed.observer?.fail(error);
    this.report(error);
  }

  onBegin(result?: FollowSessionResult): void {
    if (result !== undefined) this.attachment.moveTo(result.position);
    this.feed.observer?.onBegin(result);
  }
}
