import {
  abortable,
  type DaemonCapabilities,
  DaemonError,
  type GetSessionMessagesParams,
  type GetSessionMessagesResult,
  type InboxRequest,
  METHODS,
  newId,
  type Receipt,
  type SearchSessionsParams,
  type SearchSessionsResult,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import { type AskUserReply, InOrder, type PermissionAnswer, requireOffer } from "../base/index.js";
import type { ConnectionCalls } from "../connection/index.js";
import { resultOfAnswer } from "../session/index.js";
import {
  awaitReceipt,
  FollowedSession,
  type ReadOutputFormat,
  type SendOptions,
  type SessionFollow,
} from "../stream/index.js";
import {
  type ArchivedSession,
  archivedSession,
  type OpenedSession,
  openedSession,
  pageParams,
  type SessionPage,
  type SessionPageOptions,
  sessionPage,
} from "./session-lists.js";
import {
  checkFollowOptions,
  checkPrompt,
  checkSessionOptions,
  type DaemonSessionOptions,
  type FollowOptions,
  requireText,
  type SendByIdOptions,
} from "./session-options.js";
import { promptParams } from "./session-params.js";

/** The calls of a connection that name a session, or a request, by its id: they need no handle. */
export abstract class CallsById {
  /** What the daemon offers beyond the original wire. */
  abstract get capabilities(): DaemonCapabilities;
  protected abstract get calls(): ConnectionCalls;
  protected abstract get readFormat(): ReadOutputFormat;
  /** Sends a prompt on a daemon that wants the session loaded for that. */
  protected abstract sendAttached(
    sessionId: string,
    prompt: string,
    options: SendOptions,
  ): Promise<{ messageId: string }>;

  /** Makes a session, or opens one that was closed, and keeps no handle of it. */
  protected abstract openSession(sessionId: string, create: DaemonSessionOptions | undefined): Promise<void>;
  readonly #order = new InOrder();

  /** Sessions that are open in the daemon now. */
  async listOpenedSessions(): Promise<OpenedSession[]> {
    return (await this.calls.request(METHODS.listOpenedSessions, {})).sessions.map(openedSession);
  }

  /** A page of all sessions the daemon knows, newest first; at most 100, 50 by default. `nextCursor` goes into `endBefore`. */
  async listAvailableSessions(page: SessionPageOptions = {}): Promise<SessionPage> {
    return sessionPage(await this.calls.request(METHODS.listAvailableSessions, pageParams(page)));
  }

  /** Searches the conversations. */
  searchSessions(search: SearchSessionsParams): Promise<SearchSessionsResult> {
    return this.calls.request(METHODS.searchSessions, search);
  }

  /** A page of a session's conversation, without loading it; at most 100 messages, 20 by default. */
  async getSessionMessages(
    sessionId: string,
    page: Omit<GetSessionMessagesParams, "sessionId"> = {},
  ): Promise<GetSessionMessagesResult> {
    requireText("sessionId", sessionId);
    return this.calls.request(METHODS.getSessionMessages, { ...page, sessionId });
  }

  /**
   * Follows a session by its id: yields the events of all its turns, from now on or after a position, replayed and live, each once
   * and in order. Only watches: the session is not loaded, no agent is started, and no request goes to a handler of this
   * connection: an event `request_opened` reports it, and `answerRequest` answers it. Any number of follows may read one session.
   * Each has its own pace, and none takes the place of a `stream()`.
   *
   * "From now on" begins when this method is called. A lost link is no end; events that the daemon no longer has are told by a
   * `gap`. Ends with the signal, with the loop, or with `close()` of the connection, without an error; with the connection's
   * error when the connection cannot be restored. Throws
   * METHOD_NOT_FOUND where the daemon does not offer `sessionEvents`.
   */
  follow(sessionId: string, options: FollowOptions = {}): SessionFollow {
    return this.followUntil(sessionId, options, []);
  }

  /** Resolves when the messages that this connection is sending to a session, with `create`, are sent. */
  protected untilSent(sessionId: string): Promise<void> {
    return this.#order.idle(sessionId);
  }

  /** As {@link follow}; ends with each of the signals, too. */
  protected followUntil(sessionId: string, options: FollowOptions, ends: readonly AbortSignal[]): SessionFollow {
    checkFollowOptions(sessionId, options);
    requireOffer(this.capabilities, "sessionEvents");
    const { calls } = this;
    const { after, turnId, signal, includePartialMessages = false } = options;
    if (turnId !== undefined) requireOffer(this.capabilities, "turnEvents");
    const signals = [...ends, ...(signal === undefined ? [] : [signal])];
    return new FollowedSession({ calls, sessionId, after, turnId, includePartialMessages, signals });
  }

  /**
   * Sends a prompt to a session by its id; no handle and no attachment is needed. Resolves once the daemon has accepted the
   * message: with the same `messageId`, the call may be repeated, and the message is acted on once. Rejects with SESSION_NOT_FOUND
   * for a session that does not exist, and with SESSION_CLOSED for one that was closed. With `create` it makes the first and opens
   * the second: with ids of the caller's own, such as the name of a thread and the id of an event, one call is all that a service
   * needs, and it may be repeated after a crash.
   */
  async send(sessionId: string, prompt: string, options: SendByIdOptions = {}): Promise<{ messageId: string }> {
    requireText("sessionId", sessionId);
    checkPrompt(prompt, options);
    const { create, ...message } = options;
    if (create === undefined) return this.#send(sessionId, prompt, message);
    checkSessionOptions(create, this.capabilities.agents);
    const own = { ...message, messageId: message.messageId ?? newId() };
    const sent = this.#order.run(sessionId, () => this.#sendAndOpen(sessionId, prompt, own, create));
    // Neither the wait for earlier messages nor that for a new session has the signal.
    return abortable(sent, message.signal);
  }

  async #sendAndOpen(sessionId: string, prompt: string, message: SendOptions, create: DaemonSessionOptions) {
    try {
      return await this.#send(sessionId, prompt, message);
    } catch (error) {
      const isAbsent = DaemonError.is(error, "SESSION_NOT_FOUND");
      if (!isAbsent && !DaemonError.is(error, "SESSION_CLOSED")) throw error;
      await this.openSession(sessionId, isAbsent ? create : undefined);
      return this.#send(sessionId, prompt, message);
    }
  }

  async #send(sessionId: string, prompt: string, options: SendOptions): Promise<{ messageId: string }> {
    if (this.capabilities.sessionEvents !== true) return this.sendAttached(sessionId, prompt, options);
    const { signal, messageId = newId() } = options;
    const params = {
      ...promptParams(prompt, options, this.readFormat(options.outputFormat)?.wire),
      messageId,
      sessionId,
    };
    await this.calls.request(METHODS.addUserMessage, params, withoutUndefined({ signal }));
    return { messageId };
  }

  /**
   * The final receipt of a message, by the ids of the session and of the message; else as `waitForReceipt` of a session. Needs a
   * daemon that offers `sessionEvents`.
   */
  async waitForReceipt(
    sessionId: string,
    messageId: string,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Receipt> {
    requireText("sessionId", sessionId);
    requireText("messageId", messageId);
    requireOffer(this.capabilities, "sessionEvents");
    return awaitReceipt(this.calls, sessionId, messageId, signal);
  }

  /** Ends a session in the daemon, by its id, for all clients. Its conversation is kept: `resumeSession` opens it again. */
  async closeSession(sessionId: string): Promise<void> {
    requireText("sessionId", sessionId);
    await this.calls.request(METHODS.closeSession, { sessionId, reason: "other" });
  }

  /**
   * Deletes a session in the daemon, by its id, for all clients: conversation, receipts, requests, and what its agent keeps where
   * the agent can delete that. Nothing brings it back. Rejects with SESSION_STATE while a turn runs or waits, unless `force`,
   * which ends the turn; with a `SessionNotFoundError` for a session that is not there, as when an answer was lost with a link.
   * Needs a daemon that offers `delete`.
   */
  async deleteSession(sessionId: string, { force }: { force?: boolean } = {}): Promise<void> {
    requireText("sessionId", sessionId);
    requireOffer(this.capabilities, "delete");
    await this.calls.request(METHODS.deleteSession, withoutUndefined({ sessionId, force }));
  }

  /** Removes a session from the lists, without loading it. */
  async archiveSession(sessionId: string): Promise<ArchivedSession> {
    requireText("sessionId", sessionId);
    return archivedSession(await this.calls.request(METHODS.archiveSession, { sessionId }));
  }

  /** Adds an archived session to the lists again. */
  async unarchiveSession(sessionId: string): Promise<void> {
    requireText("sessionId", sessionId);
    await this.calls.request(METHODS.unarchiveSession, { sessionId });
  }

  /** Sets a session's title, without loading it. */
  async renameSession(sessionId: string, title: string): Promise<void> {
    requireText("sessionId", sessionId);
    requireText("title", title);
    await this.calls.request(METHODS.renameSession, { sessionId, title });
  }

  /**
   * The receipts of up to 100 messages, in the order of the ids. Rejects with METHOD_NOT_FOUND where the daemon offers no
   * `receipts`.
   */
  async getReceipts(sessionId: string, messageIds: string[]): Promise<Receipt[]> {
    requireText("sessionId", sessionId);
    requireOffer(this.capabilities, "receipts");
    return (await this.calls.request(METHODS.getReceipts, { sessionId, messageIds })).receipts;
  }

  /**
   * The inbox: pending permission and ask-user requests of all sessions, or of one, oldest first. Rejects with METHOD_NOT_FOUND
   * where the daemon does not offer `requests`.
   */
  async listRequests(filter: { sessionId?: string } = {}): Promise<InboxRequest[]> {
    requireOffer(this.capabilities, "requests");
    return (await this.calls.request(METHODS.listRequests, filter)).requests;
  }

  /**
   * Answers a pending request of any session, as a handler would. Rejects with REQUEST_NOT_PENDING when the request is resolved
   * (`error.data.outcome` is the valid answer), with INVALID_PARAMS for an answer that the request does not offer.
   */
  async answerRequest(requestId: string, answer: PermissionAnswer | AskUserReply): Promise<void> {
    requireText("requestId", requestId);
    requireOffer(this.capabilities, "requests");
    await this.calls.request(METHODS.answerRequest, {
      requestId,
      result: resultOfAnswer(answer),
    });
  }
}
