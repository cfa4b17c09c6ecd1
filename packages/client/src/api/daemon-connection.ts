import {
  type ArchiveSessionResult,
  type AvailableModel,
  type ConnectionError,
  type CreateTicketResult,
  type DaemonCapabilities,
  type DefaultSettingsResult,
  type GetSessionMessagesParams,
  type GetSessionMessagesResult,
  type InboxRequest,
  type ListAvailableSessionsParams,
  type ListAvailableSessionsResult,
  type LoadSessionResult,
  type Logger,
  METHODS,
  type Method,
  NO_ANSWER,
  type OpenedSession,
  type ParamsOf,
  type Receipt,
  type ResultOf,
  type SearchSessionsParams,
  type SearchSessionsResult,
  SessionError,
} from "@daemon-sdk/protocol";
import {
  type AskUserReply,
  type Handlers,
  type LoadJsonSchema,
  type PermissionAnswer,
  requireOffer,
  withoutUndefined,
} from "../base/index.js";
import { type ConnectDaemonOptions, type ConnectionStatus, iterateStatus } from "../connection/index.js";
import type { Connector, DaemonIdentity } from "../link/index.js";
import { DaemonClient, resultOfAnswer, type SessionSnapshot, snapshotOf } from "../session/index.js";
import {
  type DroidStreamEvent,
  outputFormatReader,
  type ResultEvent,
  RunningStream,
  type StreamOptions,
} from "../stream/index.js";
import { DaemonSession } from "./daemon-session.js";
import {
  checkPrompt,
  checkResumeOptions,
  checkSessionOptions,
  type DaemonSessionOptions,
  type ResumeSessionOptions,
  requireText,
} from "./session-options.js";
import { initializeParams } from "./session-params.js";

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
export class DaemonConnection {
  /** Resolves when the connection has ended: with the error that broke it, or undefined after `close()`. Never rejects. */
  readonly closed: Promise<ConnectionError | undefined>;
  /** The class of session handles. */
  protected Session = DaemonSession;
  readonly #parts: DaemonConnectionParts;

  /** For `connectDaemon` only. */
  constructor(parts: DaemonConnectionParts) {
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
  get capabilities(): DaemonCapabilities {
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
    const { client, stream } = this.#newHandle(options);
    const result = await client.initializeSession(
      initializeParams(options),
      withoutUndefined({ signal: options.signal }),
    );
    return this.#session(stream, client, snapshotOf(result));
  }

  /**
   * Attaches to a session that exists, also one that another client made. Its pending requests go to the handlers at once.
   * Rejects with `SessionNotFoundError` for an unknown session, SESSION_ALREADY_ATTACHED for one that this connection is attached
   * to.
   */
  async resumeSession(sessionId: string, options: ResumeSessionOptions = {}): Promise<DaemonSession> {
    checkResumeOptions(sessionId, options);
    const { cwd, mcpServers, loadAllMessages, signal } = options;
    if (cwd !== undefined) requireOffer(this.capabilities, "workspace");
    const { client, stream } = this.#newHandle(options);
    const params = withoutUndefined({ cwd, mcpServers, loadAllMessages });
    const result = await client.loadSession(sessionId, params, {
      ...withoutUndefined({ signal }),
      onResult: (loaded) => stream.turns.found(loaded as LoadSessionResult),
    });
    return this.#session(stream, client, snapshotOf(result));
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
   * Interrupts the running turn of a session by the session's id. A daemon that offers `directInterrupt` needs no session loaded
   * for that; for other daemons this connection loads the session and detaches from it again.
   */
  async interruptSession(sessionId: string): Promise<void> {
    requireText("sessionId", sessionId);
    const { multiplexer } = this.#parts.connector;
    if (this.capabilities.directInterrupt === true || multiplexer.has(sessionId)) {
      await multiplexer.calls.request(METHODS.interruptSession, { sessionId });
      return;
    }
    // This handle must not answer the session's pending requests.
    const noAnswer = (): typeof NO_ANSWER => NO_ANSWER;
    const { client } = this.#newHandle({ permissionHandler: noAnswer, askUserHandler: noAnswer });
    await client.loadSession(sessionId);
    try {
      await client.interruptSession();
    } finally {
      client.detach(new SessionError("SESSION_DETACHED", "For this call.", { sessionId }));
    }
  }

  /** Sessions that are open in the daemon now. */
  async listOpenedSessions(): Promise<OpenedSession[]> {
    return (await this.#call(METHODS.listOpenedSessions, {})).sessions;
  }

  /** A page of all sessions the daemon knows, newest first; at most 100, 50 by default. `nextCursor` goes into `endBefore`. */
  listAvailableSessions(page: ListAvailableSessionsParams = {}): Promise<ListAvailableSessionsResult> {
    return this.#call(METHODS.listAvailableSessions, page);
  }

  /** Searches the conversations. */
  searchSessions(search: SearchSessionsParams): Promise<SearchSessionsResult> {
    return this.#call(METHODS.searchSessions, search);
  }

  /** A page of a session's conversation, without loading it; at most 100 messages, 20 by default. */
  async getSessionMessages(
    sessionId: string,
    page: Omit<GetSessionMessagesParams, "sessionId"> = {},
  ): Promise<GetSessionMessagesResult> {
    requireText("sessionId", sessionId);
    return this.#call(METHODS.getSessionMessages, { ...page, sessionId });
  }

  /** The settings of a new session that names none, and what its agent offers. */
  getDefaultSettings(): Promise<DefaultSettingsResult> {
    return this.#parts.connector.multiplexer.calls.request(METHODS.getDefaultSettings, {});
  }

  /** The models of an agent, default: the first of `capabilities.agents`. Empty until it has started under this daemon. */
  async listModels(agent?: string): Promise<AvailableModel[]> {
    const { calls } = this.#parts.connector.multiplexer;
    return (await calls.request(METHODS.listModels, withoutUndefined({ agent }))).models;
  }

  /** Removes a session from the lists, without loading it. */
  async archiveSession(sessionId: string): Promise<ArchiveSessionResult> {
    requireText("sessionId", sessionId);
    return this.#call(METHODS.archiveSession, { sessionId });
  }

  /** Adds an archived session to the lists again. */
  async unarchiveSession(sessionId: string): Promise<void> {
    requireText("sessionId", sessionId);
    await this.#call(METHODS.unarchiveSession, { sessionId });
  }

  /** Sets a session's title, without loading it. */
  async renameSession(sessionId: string, title: string): Promise<void> {
    requireText("sessionId", sessionId);
    requireText("title", title);
    await this.#call(METHODS.renameSession, { sessionId, title });
  }

  /**
   * A credential for one connection of another client, such as a web page: valid once, until `expiresAt`, with the rights of this
   * connection. Needs a daemon that offers `tickets`.
   */
  createTicket(): Promise<CreateTicketResult> {
    return this.#call(METHODS.createTicket, {});
  }

  /**
   * The receipts of up to 100 messages, in the order of the ids. Rejects with METHOD_NOT_FOUND where the daemon offers no
   * `receipts`.
   */
  async getReceipts(sessionId: string, messageIds: string[]): Promise<Receipt[]> {
    requireText("sessionId", sessionId);
    requireOffer(this.capabilities, "receipts");
    return (await this.#call(METHODS.getReceipts, { sessionId, messageIds })).receipts;
  }

  /**
   * The inbox: pending permission and ask-user requests of all sessions, or of one, oldest first. Rejects with METHOD_NOT_FOUND
   * where the daemon does not offer `requests`.
   */
  async listRequests(filter: { sessionId?: string } = {}): Promise<InboxRequest[]> {
    requireOffer(this.capabilities, "requests");
    return (await this.#call(METHODS.listRequests, filter)).requests;
  }

  /**
   * Answers a pending request of any session, as a handler would. Rejects with REQUEST_NOT_PENDING when the request is resolved
   * (`error.data.outcome` is the valid answer), with INVALID_PARAMS for an answer that the request does not offer.
   */
  async answerRequest(requestId: string, answer: PermissionAnswer | AskUserReply): Promise<void> {
    requireText("requestId", requestId);
    requireOffer(this.capabilities, "requests");
    await this.#call(METHODS.answerRequest, {
      requestId,
      result: resultOfAnswer(answer),
    });
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

  #call<M extends Method<object, unknown>>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    return this.#parts.connector.multiplexer.calls.request(method, params);
  }

  #newHandle(own: Handlers): { client: DaemonClient; stream: RunningStream } {
    const { connector, options, onError, logger } = this.#parts;
    const { multiplexer, status, link } = connector;
    const { permissionHandler = options.permissionHandler, askUserHandler = options.askUserHandler } = own;
    const { capabilities } = this;
    const client = new DaemonClient({
      multiplexer,
      token: link.token,
      capabilities,
      handlers: withoutUndefined({ permissionHandler, askUserHandler }),
      onError,
      onConnectionEnd: (error) => stream.fail(error),
      logger,
    });
    const { calls } = multiplexer;
    const { clock } = options;
    const stream = new RunningStream({ client, capabilities, calls, status, clock, onError });
    return { client, stream };
  }

  #session(stream: RunningStream, client: DaemonClient, snapshot: SessionSnapshot): DaemonSession {
    const { loadJsonSchema, logger } = this.#parts;
    const readFormat = outputFormatReader(loadJsonSchema, logger);
    return new this.Session(stream, client, snapshot, this.capabilities, readFormat);
  }
}
