import {
  type AvailableModel,
  type ConnectionError,
  type CreateTicketResult,
  type DaemonCapabilities,
  type DefaultSettingsResult,
  type GetMetricsResult,
  type LoadSessionResult,
  type Logger,
  METHODS,
  NO_ANSWER,
  type NoAnswer,
  SessionError,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import { checkText, type Handlers, type LoadJsonSchema, requireOffer } from "../base/index.js";
import {
  type ConnectDaemonOptions,
  type ConnectionCalls,
  type ConnectionStatus,
  iterateStatus,
} from "../connection/index.js";
import type { Connector, DaemonIdentity } from "../link/index.js";
import { DaemonClient, type DaemonClientOptions, type SessionSnapshot, snapshotOf } from "../session/index.js";
import {
  type DroidStreamEvent,
  outputFormatReader,
  type ReadOutputFormat,
  type ResultEvent,
  RunningStream,
  type SendOptions,
  type StreamOptions,
  type StreamServices,
} from "../stream/index.js";
import { CallsById } from "./calls-by-id.js";
import { DaemonSession, type DaemonSessionParts, type SessionHandles } from "./daemon-session.js";
import {
  checkPrompt,
  checkResumeOptions,
  checkSessionOptions,
  type DaemonSessionOptions,
  type InterruptOptions,
  type ResumeSessionOptions,
  requireText,
} from "./session-options.js";
import { initializeParams } from "./session-params.js";
import type { SharedSession } from "./shared-session.js";

/** What a connection is made of. */
export interface DaemonConnectionParts {
  readonly connector: Connector;
  readonly options: ConnectDaemonOptions;
  readonly logger: Logger;
  readonly onError: (error: Error) => void;
  /** Loads what checks answers against a bare JSON Schema. */
  readonly loadJsonSchema?: LoadJsonSchema;
}

/** Options of {@link DaemonConnection.run}. */
export interface RunOptions<Output = unknown> extends DaemonSessionOptions, StreamOptions<Output> {
  /** Called with each event of the turn, the result not included. */
  onEvent?: (event: DroidStreamEvent<Output>) => void;
}

/**
 * One authenticated connection to a daemon; many sessions share it. Made by `connectDaemon`.
 *
 * A lost link is replaced by a new one, unless `reconnect` is off: sessions are attached again at their positions, streams and
 * calls continue. When the connection ends, by `close()` or because reconnecting failed, running streams and pending calls end at
 * once with the error; sessions and their turns continue in the daemon. After that every call throws that error.
 */
export class DaemonConnection extends CallsById {
  /** Resolves when the connection has ended: with the error that broke it, or undefined after `close()`. Never rejects. */
  readonly closed: Promise<ConnectionError | undefined>;
  /** The class of session handles. */
  protected Session = DaemonSession;
  readonly #parts: DaemonConnectionParts;
  /** The sessions that have handles. */
  readonly #shared = new Map<string, SharedSession>();
  #common: CommonParts | undefined;

  /** For `connectDaemon` only. */
  constructor(parts: DaemonConnectionParts) {
    super();
    this.#parts = parts;
    this.closed = parts.connector.closed;
  }

  /**
   * The user that the connection is authenticated as, and what the daemon offers; of the last link, as a restarted daemon may
   * differ.
   */
  get identity(): DaemonIdentity {
    return this.#parts.connector.link.identity;
  }

  /** What the daemon offers beyond the original wire. */
  override get capabilities(): DaemonCapabilities {
    return this.identity.capabilities;
  }

  /** Version of the wire that the daemon states; undefined when it states none. */
  get protocolVersion(): string | undefined {
    return this.#parts.connector.link.engine.peerProtocolVersion;
  }

  /**
   * Iterates over the present status and each later change; ends after `disconnected`. Every call makes an iterator of its own.
   */
  status(): AsyncIterableIterator<ConnectionStatus> {
    return iterateStatus(this.#parts.connector.status);
  }

  /** Makes a session. Its handlers take precedence over the connection's. */
  async createSession(options: DaemonSessionOptions = {}): Promise<DaemonSession> {
    checkSessionOptions(options, this.capabilities.agents);
    // A daemon that does not know them would pass them on as a param, or log them.
    if (options.env !== undefined) requireOffer(this.capabilities, "sessionEnv");
    const { sessionId, signal } = options;
    if (sessionId !== undefined && this.#shared.has(sessionId)) return this.resumeSession(sessionId, handleOf(options));
    return this.#attach(sessionId, options, async ({ client }) =>
      client.initializeSession(initializeParams(options), withoutUndefined({ signal })),
    );
  }

  /**
   * Attaches to a session that exists, also one that another client made. Its pending requests go to the handlers at once.
   *
   * A second handle of a session, on one connection, shares the attachment of the first: concurrent calls of one service need no
   * agreement. Of the options only the handlers count then. The handlers of the newest handle that has some are called. `detach()` ends its own handle, and detaches the session
   * with the last one; `close()` closes the session for all. One stream runs at a time, of whichever handle. Rejects with
   * `SessionNotFoundError` for an unknown session.
   */
  async resumeSession(sessionId: string, options: ResumeSessionOptions = {}): Promise<DaemonSession> {
    checkResumeOptions(sessionId, options);
    if (options.cwd !== undefined) requireOffer(this.capabilities, "workspace");
    for (let known = this.#shared.get(sessionId); known !== undefined; known = this.#shared.get(sessionId)) {
      const snapshot = await known.snapshot.catch(() => undefined);
      if (snapshot !== undefined && known.client.isConnected) return this.#anotherHandle(known, snapshot, options);
      this.#forget(sessionId, known);
    }
    const { cwd, mcpServers, loadAllMessages, signal } = options;
    const params = withoutUndefined({ cwd, mcpServers, loadAllMessages });
    return this.#attach(sessionId, options, ({ client, stream }) =>
      client.loadSession(sessionId, params, {
        ...withoutUndefined({ signal }),
        onResult: (loaded) => stream.turns.found(loaded as LoadSessionResult),
      }),
    );
  }

  /** One prompt, one answer: makes a session, streams the turn, closes the session, and resolves with the result. */
  async run<Output = unknown>(prompt: string, options: RunOptions<Output> = {}): Promise<ResultEvent<Output>> {
    checkPrompt(prompt, options);
    const session = await this.createSession(options);
    try {
      for await (const event of session.stream<Output>(prompt, options)) {
        if (event.type === "result") return event;
        options.onEvent?.(event);
      }
      const { sessionId } = session;
      throw new SessionError("SESSION_CLOSED", `Session ${sessionId} was closed before its turn ended.`, {
        sessionId,
      });
    } finally {
      await session.close();
    }
  }

  /**
   * Interrupts the running turn of a session by the session's id, behind the messages that this connection is sending to it with
   * `create`. A daemon that offers `directInterrupt` needs no session loaded for that; for other daemons this connection loads the
   * session and detaches from it again.
   */
  async interruptSession(sessionId: string, { messageId }: InterruptOptions = {}): Promise<void> {
    requireText("sessionId", sessionId);
    checkText("messageId", messageId);
    if (messageId !== undefined) requireOffer(this.capabilities, "turnInterrupt");
    await this.untilSent(sessionId);
    const { multiplexer } = this.#parts.connector;
    if (this.capabilities.directInterrupt === true || multiplexer.has(sessionId)) {
      await multiplexer.calls.request(METHODS.interruptSession, withoutUndefined({ sessionId, messageId }));
      return;
    }
    const { client } = this.#newHandle();
    client.addHandlers(ANSWERS_NOTHING);
    await client.loadSession(sessionId);
    try {
      await client.interruptTurn(messageId);
    } finally {
      client.detach(new SessionError("SESSION_DETACHED", "For this call.", { sessionId }));
    }
  }

  /** The settings of a new session that names none, and what its agent offers. */
  getDefaultSettings(): Promise<DefaultSettingsResult> {
    return this.calls.request(METHODS.getDefaultSettings, {});
  }

  /** The models of an agent, default: the first of `capabilities.agents`. Empty until it has started under this daemon. */
  async listModels(agent?: string): Promise<AvailableModel[]> {
    return (await this.calls.request(METHODS.listModels, withoutUndefined({ agent }))).models;
  }

  /**
   * A credential for one connection of another client, such as a web page: valid once, until `expiresAt`, with the rights of this
   * connection. Needs a daemon that offers `tickets`.
   */
  createTicket(): Promise<CreateTicketResult> {
    return this.calls.request(METHODS.createTicket, {});
  }

  /**
   * What the daemon has counted since its start, and its last hour by minutes; each name is listed in docs/operations.md. Needs a daemon
   * that offers `metrics`. Rejects with NOT_ALLOWED for a key whose policy does not allow it.
   */
  async getMetrics(): Promise<GetMetricsResult> {
    requireOffer(this.capabilities, "metrics");
    return this.calls.request(METHODS.getMetrics, {});
  }

  /**
   * Closes the connection and resolves within 0.1 s in every state; reconnecting stops. Sessions continue in the daemon. Bytes
   * that wait in this process are written for 2 s at most, as long as the daemon reads. Whether the daemon acted on a call
   * without an answer is not known. May be called again.
   */
  close(): Promise<void> {
    return this.#parts.connector.close();
  }

  /** Closes the connection at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected override get calls(): ConnectionCalls {
    return this.#parts.connector.multiplexer.calls;
  }

  protected override get readFormat(): ReadOutputFormat {
    const { loadJsonSchema, logger } = this.#parts;
    return outputFormatReader(loadJsonSchema, logger);
  }

  protected override async sendAttached(
    sessionId: string,
    prompt: string,
    options: SendOptions,
  ): Promise<{ messageId: string }> {
    const session = await this.resumeSession(sessionId, ANSWERS_NOTHING);
    try {
      return await session.send(prompt, options);
    } finally {
      await session.detach();
    }
  }

  protected override async openSession(sessionId: string, create: DaemonSessionOptions | undefined): Promise<void> {
    const session =
      create === undefined
        ? await this.resumeSession(sessionId, ANSWERS_NOTHING)
        : await this.createSession({ ...create, ...ANSWERS_NOTHING, sessionId });
    await session.detach();
  }

  #newHandle(): { client: DaemonClient; stream: RunningStream } {
    const { options, services } = this.#commonParts;
    const client = new DaemonClient(options);
    return { client, stream: new RunningStream(client, services) };
  }

  /** One object for all sessions of a link, and not one for each. */
  get #commonParts(): CommonParts {
    const { token } = this.#parts.connector.link;
    const known = this.#common;
    if (known?.options.token === token && known.services.capabilities === this.capabilities) return known;
    this.#common = this.#makeCommonParts(token);
    return this.#common;
  }

  #makeCommonParts(token: string): CommonParts {
    const { connector, options, onError, logger } = this.#parts;
    const { multiplexer, status } = connector;
    const { capabilities, readFormat } = this;
    return {
      options: { multiplexer, token, capabilities, handlers: handlersOf(options), onError, logger },
      services: { capabilities, calls: multiplexer.calls, status, clock: options.clock, onError },
      handles: {
        capabilities,
        readFormat,
        follow: (sessionId, followed, end) => this.followUntil(sessionId, followed, [end]),
        forget: (shared) => this.#forget(shared.stream.sessionId, shared),
      },
    };
  }

  /** Makes or loads a session, and its first handle. */
  async #attach(
    sessionId: string | undefined,
    options: HandleOptions,
    open: (parts: Pick<SharedSession, "client" | "stream">) => Promise<Openable>,
  ): Promise<DaemonSession> {
    const { client, stream } = this.#newHandle();
    const own = handlersOf(options);
    client.addHandlers(own);
    const shared: SharedSession = { client, stream, snapshot: open({ client, stream }).then(snapshotOf), handles: 0 };
    if (sessionId !== undefined) this.#shared.set(sessionId, shared);
    try {
      const snapshot = await shared.snapshot;
      this.#shared.set(stream.sessionId, shared);
      return this.#session(shared, snapshot, options.onDispose, own);
    } catch (error) {
      if (sessionId !== undefined) this.#forget(sessionId, shared);
      throw error;
    }
  }

  #forget(sessionId: string, shared: SharedSession): void {
    if (this.#shared.get(sessionId) === shared) this.#shared.delete(sessionId);
  }

  #anotherHandle(shared: SharedSession, snapshot: SessionSnapshot, options: HandleOptions): DaemonSession {
    const own = handlersOf(options);
    shared.client.addHandlers(own);
    return this.#session(shared, snapshot, options.onDispose, own);
  }

  #session(
    shared: SharedSession,
    snapshot: SessionSnapshot,
    onDispose: DaemonSessionParts["onDispose"] = "close",
    handlers: Handlers,
  ): DaemonSession {
    shared.handles += 1;
    return new this.Session({ shared, snapshot, handlers, onDispose, host: this.#commonParts.handles });
  }
}

/** What the sessions of a link share. */
interface CommonParts {
  readonly options: DaemonClientOptions;
  readonly services: StreamServices;
  readonly handles: SessionHandles;
}

/** Options of one handle, which further handles of the same session do not share. */
interface HandleOptions extends Handlers {
  onDispose?: "close" | "detach";
}

/** The result of a call that makes or loads a session. */
type Openable = Parameters<typeof snapshotOf>[0];

/** For handles that exist for one call: they must not answer the session's pending requests. */
const ANSWERS_NOTHING: Handlers = { permissionHandler: noAnswer, askUserHandler: noAnswer };

/** Of handles that have none. */
const NO_HANDLERS: Handlers = {};

function handlersOf({ permissionHandler, askUserHandler }: Handlers): Handlers {
  if (permissionHandler === undefined && askUserHandler === undefined) return NO_HANDLERS;
  return withoutUndefined({ permissionHandler, askUserHandler });
}

function handleOf({ permissionHandler, askUserHandler, onDispose }: HandleOptions): HandleOptions {
  return withoutUndefined({ permissionHandler, askUserHandler, onDispose });
}

function noAnswer(): NoAnswer {
  return NO_ANSWER;
}
