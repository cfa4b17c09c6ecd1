import {
  type AddMcpServerParams,
  type AddUserMessageParams,
  type ArchiveSessionResult,
  type CompactSessionResult,
  type ContextBreakdownResult,
  type DaemonCapabilities,
  type ExecuteRewindParams,
  type ExecuteRewindResult,
  type GetSessionMessagesParams,
  type GetSessionMessagesResult,
  type GitDiffParams,
  type GitDiffResult,
  type ListFilesParams,
  type ListFilesResult,
  type ListMcpServersResult,
  type McpTool,
  METHODS,
  type NewSessionResult,
  newId,
  type Receipt,
  type RewindInfoResult,
  type SessionActivity,
  SessionError,
  type SessionNotification,
  type SettingsParams,
  type Skill,
} from "@daemon-sdk/protocol";
import {
  type AskUserReply,
  type AskUserRequest,
  type PermissionAnswer,
  type PermissionRequest,
  requireOffer,
  withoutUndefined,
} from "../base/index.js";
import type { ActivityListener, DaemonClient, NotificationListener, SessionSnapshot } from "../session/index.js";
import {
  type DroidStream,
  type ReadOutputFormat,
  type RunningStream,
  type SendOptions,
  SessionStream,
  type StreamOptions,
} from "../stream/index.js";
import { checkPrompt, checkSettings, requireText } from "./session-options.js";

/** Options of {@link DaemonSession.onNotification}. */
export interface NotificationFilter {
  /** Only notifications of this type. */
  type?: string;
}

/**
 * One session on a daemon: prompts in, events out. Made by `DaemonConnection.createSession` and `resumeSession`.
 *
 * The session lives in the daemon. The end of this handle, or of the connection, neither ends the session nor stops its turn;
 * `close()` does. After `close()` or `detach()` calls throw SESSION_CLOSED or SESSION_DETACHED, after the connection's end its
 * error.
 */
export class DaemonSession {
  readonly sessionId: string;
  /** The session's calls as the wire has them. */
  readonly client: DaemonClient;
  /** The session as it was when this handle was made; not updated. */
  readonly snapshot: SessionSnapshot;
  readonly #stream: RunningStream;
  readonly #capabilities: DaemonCapabilities;
  readonly #readFormat: ReadOutputFormat;
  #closing: Promise<void> | undefined;

  /** For `DaemonConnection` only. */
  constructor(
    stream: RunningStream,
    client: DaemonClient,
    snapshot: SessionSnapshot,
    capabilities: DaemonCapabilities,
    readFormat: ReadOutputFormat,
  ) {
    this.sessionId = stream.sessionId;
    this.client = client;
    this.snapshot = snapshot;
    this.#stream = stream;
    this.#capabilities = capabilities;
    this.#readFormat = readFormat;
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
    const format = this.#readFormat(options.outputFormat);
    return new SessionStream(this.#stream, promptParams(prompt, options, format?.wire), format, options);
  }

  /**
   * Sends a prompt and resolves once the daemon has accepted it; the turn continues without this client. Against our daemon,
   * sending the same `messageId` again is safe: the message is acted on once.
   */
  async send(prompt: string, options: SendOptions = {}): Promise<{ messageId: string }> {
    checkPrompt(prompt, options);
    const messageId = options.messageId ?? newId();
    const params = promptParams(prompt, options, this.#readFormat(options.outputFormat)?.wire);
    const free = this.#stream.turns.untilFree();
    if (free !== undefined) await free;
    await this.#stream.turns.sendPrompt(params, { messageId, requestId: newId() }, options.signal);
    return { messageId };
  }

  /**
   * The receipt of a message as it is now. Rejects with METHOD_NOT_FOUND where the daemon does not offer `receipts`.
   */
  async getReceipt(messageId: string): Promise<Receipt> {
    requireOffer(this.#capabilities, "receipts");
    return this.#stream.turns.getReceipt(messageId);
  }

  /**
   * The final receipt of a message, with as much of the answer's text as the daemon keeps. Resolves when the message's turn has
   * ended; at once for a message that the daemon does not know (`unknown`). Works for any message, also one that another process
   * sent. The daemon is not polled.
   */
  async waitForReceipt(messageId: string, options: { signal?: AbortSignal } = {}): Promise<Receipt> {
    requireOffer(this.#capabilities, "receipts");
    return this.#stream.turns.waitForReceipt(messageId, options.signal);
  }

  /**
   * What the session waits for, in the categories that a user interface shows. Computed from received events: without a stream or
   * a listener, a daemon that offers `credit` sends only requests and the ends of turns, and the session never counts as
   * `stalled`.
   */
  get activity(): SessionActivity {
    return this.#stream.activity.current;
  }

  /**
   * Calls back with each change of {@link activity}; the session's events are received for it, as for any listener. The returned
   * function removes the listener.
   */
  onActivity(listener: ActivityListener): () => void {
    return this.#stream.activity.listen(listener);
  }

  /**
   * Interrupts the running turn. Its stream, if there is one, yields a result with `subtype: "interrupted"`. With a stream,
   * the interrupt is repeated on the next link when its link breaks (docs/protocol.md §7). Without one it then rejects with
   * CONNECTION_LOST: whether the daemon received it is not known.
   */
  interrupt(): Promise<void> {
    return this.#stream.interrupt();
  }

  /**
   * Ends the session in the daemon, and a running stream without an error. Never rejects: a session that the daemon no longer has
   * counts as closed. To keep the session running, use {@link detach}.
   */
  close(): Promise<void> {
    this.#closing ??= this.#finish("SESSION_CLOSED", "closed", () => this.client.closeSession());
    return this.#closing;
  }

  /**
   * Ends this handle and keeps the session running; a running stream ends without an error. `resumeSession` attaches to it again.
   */
  detach(): Promise<void> {
    const call = async () => this.#capabilities.detach === true && this.client.call(METHODS.detachSession, {});
    this.#closing ??= this.#finish("SESSION_DETACHED", "detached", call);
    return this.#closing;
  }

  /** Closes the session at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Calls back with the raw notifications, unknown types included; the returned function removes the listener. */
  onNotification(listener: NotificationListener, filter: NotificationFilter = {}): () => void {
    const { type } = filter;
    if (type === undefined) return this.client.onNotification(listener);
    return this.client.onNotification((notification: SessionNotification) => {
      if (notification.type === type) listener(notification);
    });
  }

  /**
   * Changes settings from the next model call on. Resolves at the acknowledgement; the notification `settings_updated` has the
   * outcome.
   */
  async updateSettings(settings: SettingsParams): Promise<void> {
    checkSettings(settings);
    await this.client.updateSessionSettings(settings);
  }

  /** Sets the title. */
  async rename(title: string): Promise<void> {
    requireText("title", title);
    await this.client.renameSession({ title });
  }

  /** Copies the session. Resume the new id to use the copy; this session continues. */
  fork(options: { title?: string } = {}): Promise<NewSessionResult> {
    return this.client.forkSession(options);
  }

  /** Makes a new session that starts from a summary of this one, which continues. May take minutes. */
  compact(options: { customInstructions?: string } = {}): Promise<CompactSessionResult> {
    return this.client.compactSession(options);
  }

  /** Which files a rewind to that message could restore or would delete. */
  getRewindInfo(messageId: string): Promise<RewindInfoResult> {
    return this.client.getRewindInfo({ messageId });
  }

  /** Makes a new session that ends before that message, with files restored as requested; this session continues. */
  executeRewind(params: Omit<ExecuteRewindParams, "sessionId">): Promise<ExecuteRewindResult> {
    return this.client.executeRewind(params);
  }

  /** What fills the context window. */
  getContextBreakdown(): Promise<ContextBreakdownResult> {
    return this.client.getContextBreakdown();
  }

  /** A page of the conversation; at most 100 messages, 20 by default. */
  getMessages(page: Omit<GetSessionMessagesParams, "sessionId"> = {}): Promise<GetSessionMessagesResult> {
    return this.client.call(METHODS.getSessionMessages, page);
  }

  /** The files below the session's directory, as far as git does not ignore them; of a large one not all. */
  listFiles(options: Omit<ListFilesParams, "sessionId"> = {}): Promise<ListFilesResult> {
    return this.client.call(METHODS.listFiles, options);
  }

  /** What was changed in the session's directory: commits since the base branch, and what is not committed. */
  getGitDiff(options: Omit<GitDiffParams, "sessionId"> = {}): Promise<GitDiffResult> {
    return this.client.call(METHODS.getGitDiff, options);
  }

  /** Removes the session from the lists. It can still be resumed. */
  archive(): Promise<ArchiveSessionResult> {
    return this.client.call(METHODS.archiveSession, {});
  }

  /** Skills of the agent. */
  async listSkills(): Promise<Skill[]> {
    return (await this.client.listSkills()).skills;
  }

  /** Adds an MCP server to the user's settings. */
  async addMcpServer(server: Omit<AddMcpServerParams, "sessionId">): Promise<void> {
    await this.client.addMcpServer(server);
  }

  /** Removes an MCP server from the user's settings. */
  async removeMcpServer(serverName: string): Promise<void> {
    await this.client.removeMcpServer({ serverName, settingsLevel: "user" });
  }

  /** Switches an MCP server on or off. */
  async toggleMcpServer(serverName: string, enabled: boolean): Promise<void> {
    await this.client.toggleMcpServer({ serverName, enabled, settingsLevel: "user" });
  }

  /** Logs in to an MCP server; waits up to 300 s for a person. The notification `mcp_auth_required` has the address. */
  async authenticateMcpServer(serverName: string): Promise<void> {
    await this.client.authenticateMcpServer({ serverName });
  }

  /** MCP servers of the session and their state. */
  listMcpServers(): Promise<ListMcpServersResult> {
    return this.client.listMcpServers();
  }

  /** Tools of the session's MCP servers. */
  async listMcpTools(): Promise<McpTool[]> {
    return (await this.client.listMcpTools()).tools;
  }

  /** Permission requests that wait for an answer, including requests from before this handle. */
  getPendingPermissionRequests(): PermissionRequest[] {
    return this.client.getPendingPermissionRequests();
  }

  /**
   * Answers a waiting permission request. Throws REQUEST_NOT_PENDING when the request was answered, an `InvalidOptionError` for
   * an option that the request does not offer.
   */
  async respondToPermission(requestId: string, answer: PermissionAnswer): Promise<void> {
    this.client.respondToPermission(requestId, answer);
  }

  /** Questions that wait for an answer, including questions from before this handle. */
  getPendingAskUserRequests(): AskUserRequest[] {
    return this.client.getPendingAskUserRequests();
  }

  /** Answers a waiting question. Throws REQUEST_NOT_PENDING when the question was answered. */
  async respondToAskUser(requestId: string, reply: AskUserReply): Promise<void> {
    this.client.respondToAskUser(requestId, reply);
  }

  async #finish(
    code: "SESSION_CLOSED" | "SESSION_DETACHED",
    what: string,
    notifyDaemon: () => Promise<unknown>,
  ): Promise<void> {
    this.#stream.close();
    const notified = notifyDaemon();
    // Before the daemon has answered: from here on no handler is called and no call is sent.
    const text = `This handle of session ${this.sessionId} is ${what}. Resume the session for a new one.`;
    this.client.detach(new SessionError(code, text, { sessionId: this.sessionId }));
    await notified.catch(() => {
      // The session, or the connection, has ended before: the session is closed in either case.
    });
  }
}

function promptParams(
  text: string,
  { images, files }: SendOptions,
  outputFormat: AddUserMessageParams["outputFormat"],
): Omit<AddUserMessageParams, "sessionId"> {
  return {
    text,
    ...withoutUndefined({ images, files, outputFormat }),
  };
}
