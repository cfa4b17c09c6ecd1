import {
  type DaemonCapabilities,
  METHODS,
  newId,
  type Receipt,
  type SessionActivity,
  SessionError,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import { type Handlers, requireOffer } from "../base/index.js";
import type { ActivityListener, DaemonClient, NotificationListener, SessionSnapshot } from "../session/index.js";
import {
  type DroidStream,
  type ReadOutputFormat,
  type RunningStream,
  type SendOptions,
  type SessionFollow,
  SessionStream,
  type StreamOptions,
} from "../stream/index.js";
import { CallsByHandle } from "./calls-by-handle.js";
import { checkPrompt, type FollowOptions } from "./session-options.js";
import { promptParams } from "./session-params.js";
import type { SharedSession } from "./shared-session.js";

/** Options of {@link DaemonSession.onNotification}. */
export interface NotificationFilter {
  /** Only notifications of this type. */
  type?: string;
}

/** What the handles of one connection share. */
export interface SessionHandles {
  readonly capabilities: DaemonCapabilities;
  readonly readFormat: ReadOutputFormat;
  /** Follows a session until a signal is aborted. */
  follow(sessionId: string, options: FollowOptions, end: AbortSignal): SessionFollow;
  /** The last handle of the session has ended. */
  forget(shared: SharedSession): void;
}

/** What a session's handle is made of. */
export interface DaemonSessionParts {
  readonly shared: SharedSession;
  readonly snapshot: SessionSnapshot;
  /** Those that were added for this handle. */
  readonly handlers: Handlers;
  readonly onDispose: "close" | "detach";
  readonly host: SessionHandles;
}

/**
 * One session on a daemon: prompts in, events out. Made by `DaemonConnection.createSession` and `resumeSession`.
 *
 * The session lives in the daemon. The end of this handle, or of the connection, neither ends the session nor stops its turn;
 * `close()` does. After `close()` or `detach()` calls throw SESSION_CLOSED or SESSION_DETACHED, after the connection's end its
 * error.
 */
export class DaemonSession extends CallsByHandle {
  readonly sessionId: string;
  /** The session as it was when this handle was made; not updated. */
  readonly snapshot: SessionSnapshot;
  readonly #shared: SharedSession;
  readonly #handlers: Handlers;
  readonly #host: SessionHandles;
  /** The streams of this handle, which the session's other handles do not end. */
  #streams: WeakSet<object> | undefined;
  #stops: Set<() => void> | undefined;
  /** Why this handle has ended while the session has others. */
  #end: SessionError | undefined;
  readonly #onDispose: "close" | "detach";
  /** Aborted at the end of this handle. */
  readonly #ending = new AbortController();
  #closing: Promise<void> | undefined;

  /** For `DaemonConnection` only. */
  constructor({ shared, snapshot, handlers, onDispose, host }: DaemonSessionParts) {
    super();
    this.#onDispose = onDispose;
    this.sessionId = shared.stream.sessionId;
    this.#shared = shared;
    this.snapshot = snapshot;
    this.#handlers = handlers;
    this.#host = host;
  }

  /** The session's calls as the wire has them; shared by the handles that this connection has of the session. */
  override get client(): DaemonClient {
    if (this.#end !== undefined) throw this.#end;
    return this.#client;
  }

  /**
   * Sends a prompt and yields the events of its turn, the `result` last.
   *
   * Nothing is sent before the loop begins. One stream at a time: a second one throws `ConcurrentStreamError` from its first
   * `next()`. A `break` out of the loop, or an abort, interrupts the turn; an abort then throws the signal's reason. A failed
   * turn ends with a `result` that holds the error. When the connection or the session ends, the stream throws, and the turn
   * continues without a consumer.
   */
  stream<Output = unknown>(prompt: string, options: StreamOptions<Output> = {}): DroidStream<Output> {
    checkPrompt(prompt, options);
    const format = this.#host.readFormat(options.outputFormat);
    const params = promptParams(prompt, options, format?.wire);
    const stream = new SessionStream(this.#stream, params, format, options, () => this.client);
    this.#streams ??= new WeakSet();
    this.#streams.add(stream);
    return stream;
  }

  /**
   * Sends a prompt and resolves once the daemon has accepted it; the turn continues without this client. Against our daemon,
   * sending the same `messageId` again is safe: the message is acted on once.
   */
  async send(prompt: string, options: SendOptions = {}): Promise<{ messageId: string }> {
    checkPrompt(prompt, options);
    const messageId = options.messageId ?? newId();
    const params = promptParams(prompt, options, this.#host.readFormat(options.outputFormat)?.wire);
    const free = this.#live.turns.untilFree();
    if (free !== undefined) await free;
    await this.#live.turns.sendPrompt(params, { messageId, requestId: newId() }, options.signal);
    return { messageId };
  }

  /**
   * The events of all turns of this session, from now on or after a position, as `DaemonConnection.follow` yields them. Ends without
   * an error when this handle ends. Independent of `stream()`.
   */
  follow(options: FollowOptions = {}): SessionFollow {
    return this.#host.follow(this.sessionId, options, this.#ending.signal);
  }

  /**
   * The receipt of a message as it is now. Rejects with METHOD_NOT_FOUND where the daemon does not offer `receipts`.
   */
  async getReceipt(messageId: string): Promise<Receipt> {
    requireOffer(this.#host.capabilities, "receipts");
    return this.#live.turns.getReceipt(messageId);
  }

  /**
   * The final receipt of a message, with as much of the answer's text as the daemon keeps. Resolves when the message's turn has
   * ended; at once for a message that the daemon does not know (`unknown`). Works for any message, also one that another process
   * sent. The daemon is not polled.
   */
  async waitForReceipt(messageId: string, options: { signal?: AbortSignal } = {}): Promise<Receipt> {
    requireOffer(this.#host.capabilities, "receipts");
    return this.#live.turns.waitForReceipt(messageId, options.signal);
  }

  /**
   * What the session waits for, in the categories that a user interface shows. Computed from received events: without a stream or
   * a listener, a daemon that offers `credit` sends only requests and the ends of turns, and the session never counts as
   * `stalled`.
   */
  get activity(): SessionActivity {
    return this.#live.activity.current;
  }

  /**
   * Calls back with each change of {@link activity}; the session's events are received for it, as for any listener. The returned
   * function removes the listener.
   */
  onActivity(listener: ActivityListener): () => void {
    return this.#until(this.#live.activity.listen(listener));
  }

  /**
   * Interrupts the running turn. Its stream, if there is one, yields a result with `subtype: "interrupted"`. With a stream,
   * the interrupt is repeated on the next link when its link breaks (docs/protocol.md §7). Without one it then rejects with
   * CONNECTION_LOST: whether the daemon received it is not known.
   */
  async interrupt(): Promise<void> {
    return this.#live.interrupt();
  }

  /**
   * Ends the session in the daemon, and a running stream without an error. Never rejects: a session that the daemon no longer has
   * counts as closed. To keep the session running, use {@link detach}.
   */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    this.#closing = this.#finish("SESSION_CLOSED", "closed", () => this.#client.closeSession());
    // After that: requests that wait are passed to no other handle.
    this.#release();
    return this.#closing;
  }

  /**
   * Ends this handle and keeps the session running; a running stream ends without an error. `resumeSession` attaches to it again.
   */
  detach(): Promise<void> {
    const call = async () => this.#host.capabilities.detach === true && this.#client.call(METHODS.detachSession, {});
    this.#closing ??= this.#release() ? this.#finish("SESSION_DETACHED", "detached", call) : this.#leave();
    return this.#closing;
  }

  /** At the end of an `await using` block: closes the session, or detaches from it, as `onDispose` says. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#onDispose === "detach" ? this.detach() : this.close();
  }

  /** Calls back with the raw notifications, unknown types included; the returned function removes the listener. */
  onNotification(listener: NotificationListener, filter: NotificationFilter = {}): () => void {
    const { type } = filter;
    if (type === undefined) return this.#until(this.client.onNotification(listener));
    const stop = this.client.onNotification((notification: SessionNotification) => {
      if (notification.type === type) listener(notification);
    });
    return this.#until(stop);
  }

  get #client(): DaemonClient {
    return this.#shared.client;
  }

  get #stream(): RunningStream {
    return this.#shared.stream;
  }

  /** This handle has ended. True: it was the last one of the session. */
  #release(): boolean {
    this.#shared.handles -= 1;
    if (this.#shared.handles > 0) this.#client.removeHandlers(this.#handlers);
    else this.#host.forget(this.#shared);
    return this.#shared.handles === 0;
  }

  /** Of a handle that has not ended. */
  get #live(): RunningStream {
    if (this.#end !== undefined) throw this.#end;
    return this.#stream;
  }

  /** Also stops at the end of this handle. */
  #until(stop: () => void): () => void {
    this.#stops ??= new Set();
    this.#stops.add(stop);
    return () => {
      this.#stops?.delete(stop);
      stop();
    };
  }

  #ended(code: "SESSION_CLOSED" | "SESSION_DETACHED", what: string): SessionError {
    this.#stream.close((stream) => this.#streams?.has(stream) === true);
    this.#ending.abort();
    for (const stop of this.#stops ?? []) stop();
    const text = `This handle of session ${this.sessionId} is ${what}. Resume the session for a new one.`;
    return new SessionError(code, text, { sessionId: this.sessionId });
  }

  /** Ends this handle; the session stays attached for its other handles. */
  async #leave(): Promise<void> {
    this.#end = this.#ended("SESSION_DETACHED", "detached");
  }

  async #finish(
    code: "SESSION_CLOSED" | "SESSION_DETACHED",
    what: string,
    notifyDaemon: () => Promise<unknown>,
  ): Promise<void> {
    const error = this.#ended(code, what);
    const notified = notifyDaemon();
    // Before the daemon has answered: from here on no handler is called and no call is sent.
    this.#client.detach(error);
    // The stream of another handle.
    this.#stream.fail(error);
    await notified.catch(() => {
      // The session, or the connection, has ended before: the session is closed in either case.
    });
  }
}
