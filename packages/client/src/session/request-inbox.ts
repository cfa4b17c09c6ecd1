import {
  CLIENT_LIMITS,
  DaemonError,
  type InboundRequest,
  isRecord,
  type Logger,
  METHODS,
  NO_ANSWER,
  type PendingAskUser,
  type PendingPermission,
  RpcCode,
  RpcFault,
  SessionError,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import type { AskUserReply, AskUserRequest, Handlers, PermissionAnswer, PermissionRequest } from "../base/index.js";
import { askUserResult, permissionResult } from "./request-answers.js";

/** Options of {@link RequestInbox}. */
export interface RequestInboxOptions {
  readonly handlers: Handlers;
  /** Whether the daemon keeps requests that nobody answers (`capabilities.inbox`). */
  readonly isKeptByDaemon: boolean;
  /** Sends the answer; false when the request was answered already. */
  respond(requestId: string, result: object): boolean;
  onError(error: DaemonError): void;
  readonly logger: Logger;
}

/** One request that waits, of either kind; how to ask its handler is bound in. */
interface Entry {
  readonly requestId: string;
  readonly controller: AbortController;
  readonly request: PermissionRequest | AskUserRequest;
  /** Asks the handler; undefined when there is none. */
  readonly ask: (() => unknown) | undefined;
  /** Checks an answer and gives the result to send; throws what is wrong with it. */
  readonly toResult: (answer: unknown) => object;
  readonly cancel: object;
}

/**
 * The permission and ask-user requests of one session that wait for an answer.
 *
 * Each is answered at most once from here, whether it came as a server request or was listed by `load_session`, and stays
 * listed until it is answered or the daemon says it is resolved. Its handler is asked once: a request may come again, in its
 * place after an early copy, or from a journal that is replayed; and an answer that was lost with its link is given again.
 */
export class RequestInbox {
  readonly #options: RequestInboxOptions;
  readonly #entries = new Map<string, Entry>();
  /** Requests that wait no more, with the answer that was given here. */
  readonly #done = new Map<string, object | undefined>();

  constructor(options: RequestInboxOptions) {
    this.#options = options;
  }

  /** Takes a server request. Throws `RpcFault` for a method or params that are not one of ours. */
  receive(sessionId: string, { id: requestId, method, params }: InboundRequest): typeof NO_ANSWER {
    if (method === METHODS.requestPermission.name) {
      this.#open(this.#permission(sessionId, { ...params, requestId }));
    } else if (method === METHODS.askUser.name) {
      this.#open(this.#askUser(sessionId, { ...params, requestId }));
    } else {
      throw new RpcFault(RpcCode.methodNotFound, `This client does not handle ${method}`);
    }
    // The answer goes out by `respond`, when it is there.
    return NO_ANSWER;
  }

  /** Takes what `load_session` lists: requests that were asked before this connection was there. */
  restore(
    sessionId: string,
    permissions: readonly PendingPermission[] = [],
    questions: readonly PendingAskUser[] = [],
  ): void {
    for (const pending of permissions) this.#restoreOne(() => this.#permission(sessionId, pending));
    for (const pending of questions) this.#restoreOne(() => this.#askUser(sessionId, pending));
  }

  /**
   * Takes what the daemon lists as pending after a reconnect: what it does not list is withdrawn, what was answered from here is
   * answered again, and what is new goes to the handlers. Lists that are absent tell nothing.
   */
  reconcile(
    sessionId: string,
    permissions?: readonly PendingPermission[],
    questions?: readonly PendingAskUser[],
  ): void {
    if (permissions !== undefined || questions !== undefined) {
      const listed = new Set([...(permissions ?? []), ...(questions ?? [])].map(({ requestId }) => requestId));
      for (const requestId of [...this.#entries.keys()]) if (!listed.has(requestId)) this.#settle(requestId, ELSEWHERE);
    }
    this.restore(sessionId, permissions, questions);
  }

  /** Takes in every notification: requests may be resolved elsewhere. */
  observe({ type, requestId }: SessionNotification): void {
    if (type !== "permission_resolved" && type !== "ask_user_resolved") return;
    if (typeof requestId === "string") this.#settle(requestId, ELSEWHERE);
  }

  /** How many requests wait. */
  get size(): number {
    return this.#entries.size;
  }

  /** Permission requests that wait, oldest first. */
  permissions(): PermissionRequest[] {
    return [...this.#entries.values()].map(({ request }) => request).filter((request) => "toolUses" in request);
  }

  /** Questions that wait, oldest first. */
  questions(): AskUserRequest[] {
    return [...this.#entries.values()].map(({ request }) => request).filter((request) => "questions" in request);
  }

  /** Answers a waiting request. Throws REQUEST_NOT_PENDING when none of that id and kind waits, or what is wrong with the answer. */
  answer(kind: "permission" | "question", requestId: string, answer: PermissionAnswer | AskUserReply): void {
    const entry = this.#entries.get(requestId);
    const isKind = entry !== undefined && "toolUses" in entry.request === (kind === "permission");
    if (!isKind || !this.#send(entry, entry.toResult(answer))) {
      throw new SessionError(
        "REQUEST_NOT_PENDING",
        `No ${kind} request ${requestId} waits on this session: it was answered, or never asked.`,
      );
    }
  }

  /** Nothing can be answered any more: forgets all requests and aborts their handlers' signals. */
  close(reason: string): void {
    for (const requestId of [...this.#entries.keys()]) this.#settle(requestId, reason);
  }

  #permission(sessionId: string, pending: Partial<PendingPermission>): Entry {
    const request = { ...pending, sessionId };
    if (!isPermission(request)) throw new RpcFault(RpcCode.invalidParams, "toolUses and options must be arrays");
    const controller = new AbortController();
    const handler = this.#options.handlers.permissionHandler;
    return {
      requestId: request.requestId,
      controller,
      request,
      ask: handler && (() => handler(request, { signal: controller.signal })),
      toResult: (answer) => permissionResult(request, answer),
      cancel: { selectedOption: "cancel", sessionId },
    };
  }

  #askUser(sessionId: string, pending: Partial<PendingAskUser>): Entry {
    const request = { ...pending, sessionId };
    if (!isQuestion(request)) throw new RpcFault(RpcCode.invalidParams, "questions must be an array");
    const controller = new AbortController();
    const handler = this.#options.handlers.askUserHandler;
    return {
      requestId: request.requestId,
      controller,
      request,
      ask: handler && (() => handler(request, { signal: controller.signal })),
      toResult: (answer) => askUserResult(request, answer),
      cancel: { cancelled: true, answers: [], sessionId },
    };
  }

  #restoreOne(make: () => Entry): void {
    try {
      this.#open(make());
    } catch (error) {
      this.#options.logger.warn({ error }, "A malformed pending request is left to others");
    }
  }

  #open(entry: Entry): void {
    // Asked and listed: the same request can come both ways around a load_session.
    const { requestId } = entry;
    if (this.#entries.has(requestId)) return;
    if (this.#done.has(requestId)) {
      const answer = this.#done.get(requestId);
      // Only on another link: on this one it was sent.
      if (answer !== undefined) this.#options.respond(requestId, answer);
      return;
    }
    this.#entries.set(requestId, entry);
    void this.#decide(entry);
  }

  async #decide(entry: Entry): Promise<void> {
    const { ask, requestId } = entry;
    if (ask === undefined) {
      if (!this.#options.isKeptByDaemon) this.#send(entry, entry.cancel);
      return;
    }
    try {
      const answer = await ask();
      if (answer === NO_ANSWER || this.#entries.get(requestId) !== entry) return;
      this.#send(entry, entry.toResult(answer));
    } catch (cause) {
      // A handler that stops because its signal was aborted did what it should.
      if (this.#entries.get(requestId) !== entry) return;
      this.#send(entry, entry.cancel);
      this.#options.onError(handlerFailed(entry, cause));
    }
  }

  #send(entry: Entry, result: object): boolean {
    // Throws for an answer that is too large: the request then waits for another one.
    const sent = this.#options.respond(entry.requestId, result);
    this.#forget(entry.requestId, result);
    if (!sent) this.#options.logger.info({ requestId: entry.requestId }, "An answer came late and was not sent");
    return sent;
  }

  #settle(requestId: string, reason: string): void {
    const entry = this.#entries.get(requestId);
    this.#forget(requestId, undefined);
    if (entry === undefined) return;
    entry.controller.abort(new DaemonError("ABORTED", reason));
  }

  #forget(requestId: string, answer: object | undefined): void {
    this.#entries.delete(requestId);
    if (this.#done.has(requestId)) return;
    this.#done.set(requestId, answer);
    const [oldest] = this.#done.keys();
    if (this.#done.size > CLIENT_LIMITS.answeredRequests && oldest !== undefined) this.#done.delete(oldest);
  }
}

const ELSEWHERE = "The request was resolved elsewhere.";

function isPermission(request: Partial<PermissionRequest>): request is PermissionRequest {
  return Array.isArray(request.toolUses) && Array.isArray(request.options) && request.options.every(isRecord);
}

function isQuestion(request: Partial<AskUserRequest>): request is AskUserRequest {
  return Array.isArray(request.questions);
}

function handlerFailed({ request, requestId }: Entry, cause: unknown): SessionError {
  const kind = "toolUses" in request ? "permission" : "ask-user";
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SessionError(
    "HANDLER_FAILED",
    `The ${kind} handler failed for request ${requestId}, which was answered with cancel: ${why}`,
    { cause, sessionId: request.sessionId },
  );
}
