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
  given,
  type PermissionAnswer,
  type PermissionRequest,
  requireOffer,
} from "../base/index.js";
import type { ActivityListener, DaemonClient, NotificationListener, SessionSnapshot } from "../session/index.js";
import {
  type DroidStream,
  resolveOutputFormat,
  type SendOptions,
  SessionStream,
  type SessionTurns,
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
 * The session lives in the daemon. Losing this handle, or the connection, neither ends it nor stops its turn; `close()` does.
 * After `close()` or `detach()` calls throw SESSION_CLOSED or SESSION_DETACHED, after the connection's end its error.
 */
export class DaemonSession {
  readonly sessionId: string;
  /** The session's calls as the wire has them. */
  readonly client: DaemonClient;
  /** What it was found with; not kept up to date. */
  readonly snapshot: SessionSnapshot;
  readonly #turns: SessionTurns;
  readonly #capabilities: DaemonCapabilities;
  #closing: Promise<void> | undefined;

  /** Made by the connection. */
  constructor(turns: SessionTurns, client: DaemonClient, snapshot: SessionSnapshot, capabilities: DaemonCapabilities) {
    this.sessionId = turns.sessionId;
    this.client = client;
    this.snapshot = snapshot;
    this.#turns = turns;
    this.#capabilities = capabilities;
  }

  /**
   * Sends a prompt and yields the events of its turn, the `result` last.
   *
   * Nothing is sent before the loop begins. One stream at a time: a second one throws `ConcurrentStreamError` from its first
   * `next()`. Leaving the loop, or aborting, interrupts the turn; an abort then throws the signal's reason. A turn that fails ends
   * with a `result` that says so; a connection or session that goes away throws, and the turn goes on without a reader.
   */
  stream<Output = unknown>(prompt: string, options: StreamOptions<Output> = {}): DroidStream<Output> {
    checkPrompt(prompt, options);
    const format = resolveOutputFormat(options.outputFormat);
    return new SessionStream(this.#turns, promptParams(prompt, options, format?.wire), format, options);
  }

  /**
   * Sends a prompt and resolves once the daemon has it; the turn goes on by itself. Against a daemon of ours, sending the same
   * `messageId` again is safe: it is acted on once.
   */
  async send(prompt: string, options: SendOptions = {}): Promise<{ messageId: string }> {
    checkPrompt(prompt, options);
    const messageId = options.messageId ?? newId();
    const params = promptParams(prompt, options, resolveOutputFormat(options.outputFormat)?.wire);
    const free = this.#turns.untilFree();
    if (free !== undefined) await free;
    await this.#turns.sendPrompt(params, { messageId, requestId: newId() }, options.signal);
    return { messageId };
  }

  /**
   * What became of a message, as the daemon has it now. Rejects with METHOD_NOT_FOUND where the daemon does not offer `receipts`.
   */
  async getReceipt(messageId: string): Promise<Receipt> {
    requireOffer(this.#capabilities, "receipts");
    return this.#turns.getReceipt(messageId);
  }

  /**
   * The final receipt of a message, with the answer's text as far as it is kept: resolves when its turn is over, at once for one that
   * the daemon never had (`unknown`). What `send` began is answered by this, also in another process. The daemon is not polled.
   */
  async waitForReceipt(messageId: string, options: { signal?: AbortSignal } = {}): Promise<Receipt> {
    requireOffer(this.#capabilities, "receipts");
    return this.#turns.waitForReceipt(messageId, options.signal);
  }

  /**
   * What the session waits for, in words for people. As far as its events are read: without a stream or a listener, a daemon that
   * offers `credit` tells no more than requests and the ends of turns, and its silence is not taken for `stalled`.
   */
  get activity(): SessionActivity {
    return this.#turns.activity;
  }

  /** Calls back with each change of {@link activity}; reads the session's events, as any listener does. The returned function stops it. */
  onActivity(listener: ActivityListener): () => void {
    return this.#turns.onActivity(listener);
  }

  /**
   * Interrupts the running turn. Its stream, if there is one, goes on to a result with `subtype: "interrupted"`; the interrupt is then
   * made again when its link dies (docs/protocol.md §7), else CONNECTION_LOST tells that nobody knows whether it was heard.
   */
  interrupt(): Promise<void> {
    return this.#turns.interrupt();
  }

  /**
   * Ends the session on the daemon, and a running stream without an error. Never rejects: a session that is gone already is
   * closed. To leave it running, use {@link detach}.
   */
  close(): Promise<void> {
    this.#closing ??= this.#finish("SESSION_CLOSED", "closed", () => this.client.closeSession());
    return this.#closing;
  }

  /** Gives up this handle and leaves the session running; a running stream ends without an error. `resumeSession` comes back to it. */
  detach(): Promise<void> {
    const call = async () => this.#capabilities.detach === true && this.client.call(METHODS.detachSession, {});
    this.#closing ??= this.#finish("SESSION_DETACHED", "detached", call);
    return this.#closing;
  }

  /** Closes the session at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Calls back with the raw notifications, unknown types included; the returned function stops it. */
  onNotification(listener: NotificationListener, filter: NotificationFilter = {}): () => void {
    const { type } = filter;
    if (type === undefined) return this.client.onNotification(listener);
    return this.client.onNotification((notification: SessionNotification) => {
      if (notification.type === type) listener(notification);
    });
  }

  /** Changes settings from the next model call on. Resolves at the acknowledgement; `settings_updated` tells the outcome. */
  async updateSettings(settings: SettingsParams): Promise<void> {
    checkSettings(settings);
    await this.client.updateSessionSettings(settings);
  }

  /** Sets the title. */
  async rename(title: string): Promise<void> {
    requireText("title", title);
    await this.client.renameSession({ title });
  }

  /** Copies the session. Resume the new id to use the copy; this one goes on. */
  fork(options: { title?: string } = {}): Promise<NewSessionResult> {
    return this.client.forkSession(options);
  }

  /** Makes a new session that starts from a summary of this one; this one goes on. May take minutes. */
  compact(options: { customInstructions?: string } = {}): Promise<CompactSessionResult> {
    return this.client.compactSession(options);
  }

  /** Which files going back to that message could restore or would delete. */
  getRewindInfo(messageId: string): Promise<RewindInfoResult> {
    return this.client.getRewindInfo({ messageId });
  }

  /** Makes a new session that ends before that message, with files put back as asked; this one goes on. */
  executeRewind(params: Omit<ExecuteRewindParams, "sessionId">): Promise<ExecuteRewindResult> {
    return this.client.executeRewind(params);
  }

  /** What the context window is filled with. */
  getContextBreakdown(): Promise<ContextBreakdownResult> {
    return this.client.getContextBreakdown();
  }

  /** A page of the conversation; at most 100 messages, 20 by default. */
  getMessages(page: Omit<GetSessionMessagesParams, "sessionId"> = {}): Promise<GetSessionMessagesResult> {
    return this.client.call(METHODS.getSessionMessages, page);
  }

  /** Takes the session out of the lists; it can still be resumed. */
  archive(): Promise<ArchiveSessionResult> {
    return this.client.call(METHODS.archiveSession, {});
  }

  /** Skills the agent knows. */
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

  /** Logs in to an MCP server; waits up to 300 s for a person. The address comes as `mcp_auth_required`. */
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

  /** Permission requests that wait for an answer, those from before this handle included. */
  getPendingPermissionRequests(): PermissionRequest[] {
    return this.client.getPendingPermissionRequests();
  }

  /** Answers a waiting permission request. Throws REQUEST_NOT_PENDING when it was answered, and for an option it does not offer. */
  async respondToPermission(requestId: string, answer: PermissionAnswer): Promise<void> {
    this.client.respondToPermission(requestId, answer);
  }

  /** Questions that wait for an answer, those from before this handle included. */
  getPendingAskUserRequests(): AskUserRequest[] {
    return this.client.getPendingAskUserRequests();
  }

  /** Answers a waiting question. Throws REQUEST_NOT_PENDING when it was answered. */
  async respondToAskUser(requestId: string, reply: AskUserReply): Promise<void> {
    this.client.respondToAskUser(requestId, reply);
  }

  async #finish(
    code: "SESSION_CLOSED" | "SESSION_DETACHED",
    what: string,
    tellDaemon: () => Promise<unknown>,
  ): Promise<void> {
    this.#turns.close();
    const told = tellDaemon();
    // At once, not when the daemon has answered: from here on no handler is asked and no call goes out.
    const text = `This handle of session ${this.sessionId} is ${what}. Resume the session for a new one.`;
    this.client.detach(new SessionError(code, text, { sessionId: this.sessionId }));
    await told.catch(() => {
      // Gone already, or the connection is: closed either way.
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
    ...given({ images, files, outputFormat }),
  };
}
