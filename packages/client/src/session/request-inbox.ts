import {
  CLIENT_LIMITS,
  DaemonError,
  type InboundRequest,
  isRecord,
  type Logger,
  METHODS,
  NO_ANSWER,
  type NoAnswer,
  type PendingAskUser,
  type PendingPermission,
  RpcCode,
  RpcFault,
  SessionError,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import type {
  AskUserReply,
  AskUserRequest,
  HandlerContext,
  Handlers,
  PermissionAnswer,
  PermissionRequest,
} from "../base/index.js";
import { askUserResult, permissionResult } from "./request-answers.js";

/** The session of a {@link RequestInbox}. */
export interface RequestInboxHost {
  /** The connection's, which come after those of handles. */
  readonly handlers: Handlers | undefined;
  /** Whether the daemon keeps requests that nobody answers (`capabilities.inbox`). */
  readonly isKeptByDaemon: boolean;
  /** Sends the answer; false when the request was answered already. */
  respond(requestId: string, result: object): boolean;
  /** Receives what handlers throw. */
  report(error: DaemonError): void;
  readonly logger: Logger;
}

/** One pending request of either kind, with its handler bound. */
interface Entry {
  readonly requestId: string;
  readonly controller: AbortController;
  readonly request: PermissionRequest | AskUserRequest;
  /** Whether a handler may have been called with it before, here or elsewhere. */
  readonly isRepeat: boolean;
  /** The handler that {@link ask} calls. */
  readonly handler: unknown;
  /** Calls the handler; undefined when there is none. */
  readonly ask: (() => unknown) | undefined;
  /** Checks an answer and returns the result to send. Throws for an invalid answer. */
  readonly toResult: (answer: unknown) => object;
  readonly cancel: object;
}

/**
 * The permission and ask-user requests of one session that wait for an answer.
 *
 * This client answers each request at most once, whether the daemon sent it or listed it in `load_session`. A request stays
 * pending until it is answered, or the daemon reports that it is resolved. Its handler is called once, though the request may be
 * received again: in order after its early copy, or from a replayed journal. An answer that was lost with its link is sent again.
 */
export class RequestInbox {
  readonly #host: RequestInboxHost;
  #entries: Map<string, Entry> | undefined;
  /** Of the handles; those of the connection come before the first one. */
  #handlers: readonly Handlers[] = NO_HANDLERS;
  /** Requests that are no longer pending, with the answer that this client gave. */
  #done: Map<string, object | undefined> | undefined;

  constructor(host: RequestInboxHost) {
    this.#host = host;
  }

  /**
   * Adds handlers, which precede those that were added before. Requests that wait without a handler are passed to them. Returns a
   * function that removes them: their requests are passed to the others, or stay pending.
   */
  addHandlers(handlers: Handlers): () => void {
    const { permissionHandler, askUserHandler } = handlers;
    if (permissionHandler !== undefined || askUserHandler !== undefined) this.#handlers = [...this.#handlers, handlers];
    for (const entry of this.#waiting) if (entry.ask === undefined) this.#pass(entry);
    return () => this.removeHandlers(handlers);
  }

  /** Removes handlers that {@link addHandlers} added. Requests that they were called with are passed to the others. */
  removeHandlers(handlers: Handlers): void {
    this.#handlers = this.#handlers.filter((one) => one !== handlers);
    const known: readonly unknown[] = this.#all.flatMap((one) => [one.permissionHandler, one.askUserHandler]);
    for (const entry of this.#waiting) {
      // Two handles may have the same handler, which has the request then.
      if (entry.ask === undefined || known.includes(entry.handler)) continue;
      entry.controller.abort(new DaemonError("ABORTED", "The session's handle was closed."));
      this.#pass(entry);
    }
  }

  /** The handlers of all, the most general ones first. */
  get #all(): readonly Handlers[] {
    const { handlers } = this.#host;
    return handlers === undefined ? this.#handlers : [handlers, ...this.#handlers];
  }

  /** The requests that wait now, oldest first. */
  get #waiting(): readonly Entry[] {
    return this.#entries === undefined ? [] : [...this.#entries.values()];
  }

  /** Passes a request that waits to the handlers that there are now. */
  #pass({ request, ask, isRepeat }: Entry): void {
    const { sessionId } = request;
    const wasPassed = isRepeat || ask !== undefined;
    const entry =
      "toolUses" in request
        ? this.#permission(sessionId, request, wasPassed)
        : this.#askUser(sessionId, request, wasPassed);
    this.#enter(entry);
  }

  /** Takes a request that the daemon sent. Throws `RpcFault` for an unknown method and for invalid params. */
  receive(sessionId: string, { id: requestId, method, params }: InboundRequest): NoAnswer {
    if (method === METHODS.requestPermission.name) {
      this.#open(this.#permission(sessionId, { ...params, requestId }));
    } else if (method === METHODS.askUser.name) {
      this.#open(this.#askUser(sessionId, { ...params, requestId }));
    } else {
      throw new RpcFault(RpcCode.methodNotFound, `This client does not handle ${method}`);
    }
    // `respond` sends the answer later.
    return NO_ANSWER;
  }

  /** Takes the requests that `load_session` lists: those from before this connection. */
  restore(
    sessionId: string,
    permissions: readonly PendingPermission[] = [],
    questions: readonly PendingAskUser[] = [],
  ): void {
    this.#restoreAll(sessionId, permissions, questions, true);
  }

  /**
   * Takes the requests that the daemon lists as pending after a reconnect. A request that is not listed is withdrawn, one that
   * this client answered is answered again, and a new one is passed to its handler. Absent lists mean nothing.
   */
  reconcile(
    sessionId: string,
    permissions?: readonly PendingPermission[],
    questions?: readonly PendingAskUser[],
  ): void {
    if (permissions !== undefined || questions !== undefined) {
      const listed = new Set([...(permissions ?? []), ...(questions ?? [])].map(({ requestId }) => requestId));
      for (const { requestId } of this.#waiting) if (!listed.has(requestId)) this.#settle(requestId, ELSEWHERE);
    }
    // This client was attached before: what it does not know was opened since.
    this.#restoreAll(sessionId, permissions, questions, false);
  }

  /** Takes every notification: one may report that a request was resolved elsewhere. */
  observe({ type, requestId }: SessionNotification): void {
    if (type !== "permission_resolved" && type !== "ask_user_resolved") return;
    if (typeof requestId === "string") this.#settle(requestId, ELSEWHERE);
  }

  /** How many requests wait. */
  get size(): number {
    return this.#entries?.size ?? 0;
  }

  /** Permission requests that wait, oldest first. */
  permissions(): PermissionRequest[] {
    return this.#waiting.map(({ request }) => request).filter((request) => "toolUses" in request);
  }

  /** Questions that wait, oldest first. */
  questions(): AskUserRequest[] {
    return this.#waiting.map(({ request }) => request).filter((request) => "questions" in request);
  }

  /**
   * Answers a waiting request. Throws REQUEST_NOT_PENDING when none of that id and kind is pending, an `InvalidOptionError` for
   * an invalid answer.
   */
  answer(kind: "permission" | "question", requestId: string, answer: PermissionAnswer | AskUserReply): void {
    const entry = this.#entries?.get(requestId);
    const isKind = entry !== undefined && "toolUses" in entry.request === (kind === "permission");
    if (!isKind || !this.#send(entry, entry.toResult(answer))) {
      throw new SessionError(
        "REQUEST_NOT_PENDING",
        `No ${kind} request ${requestId} is pending in this session: it was answered, or never sent.`,
      );
    }
  }

  /** No request can be answered any more: drops all requests and aborts their handlers' signals. */
  close(reason: string): void {
    for (const { requestId } of this.#waiting) this.#settle(requestId, reason);
  }

  #newest<Kind extends keyof Handlers>(kind: Kind): Handlers[Kind] | undefined {
    return this.#all.findLast((handlers) => handlers[kind] !== undefined)?.[kind];
  }

  #restoreAll(
    sessionId: string,
    permissions: readonly PendingPermission[] = [],
    questions: readonly PendingAskUser[] = [],
    isRepeat: boolean,
  ): void {
    for (const pending of permissions) this.#restoreOne(() => this.#permission(sessionId, pending, isRepeat));
    for (const pending of questions) this.#restoreOne(() => this.#askUser(sessionId, pending, isRepeat));
  }

  #permission(sessionId: string, pending: Partial<PendingPermission>, isRepeat = false): Entry {
    const request = { ...pending, sessionId };
    if (!isPermission(request)) throw new RpcFault(RpcCode.invalidParams, "toolUses and options must be arrays");
    const toResult = (answer: unknown) => permissionResult(request, answer);
    const cancel = { selectedOption: "cancel", sessionId };
    return entryOf(request, this.#newest("permissionHandler"), { toResult, cancel, isRepeat });
  }

  #askUser(sessionId: string, pending: Partial<PendingAskUser>, isRepeat = false): Entry {
    const request = { ...pending, sessionId };
    if (!isQuestion(request)) throw new RpcFault(RpcCode.invalidParams, "questions must be an array");
    const toResult = (answer: unknown) => askUserResult(request, answer);
    const cancel = { cancelled: true, answers: [], sessionId };
    return entryOf(request, this.#newest("askUserHandler"), { toResult, cancel, isRepeat });
  }

  #restoreOne(make: () => Entry): void {
    try {
      this.#open(make());
    } catch (error) {
      this.#host.logger.warn({ error }, "A malformed pending request was ignored");
    }
  }

  #open(entry: Entry): void {
    // Around a load_session, the same request can be both sent and listed.
    const { requestId } = entry;
    if (this.#entries?.has(requestId)) return;
    if (this.#done?.has(requestId)) {
      const answer = this.#done.get(requestId);
      // This has an effect on another link only: on this link the answer was sent.
      if (answer !== undefined) this.#host.respond(requestId, answer);
      return;
    }
    this.#enter(entry);
  }

  #enter(entry: Entry): void {
    this.#entries ??= new Map();
    this.#entries.set(entry.requestId, entry);
    void this.#decide(entry);
  }

  async #decide(entry: Entry): Promise<void> {
    const { ask, requestId } = entry;
    if (ask === undefined) {
      if (!this.#host.isKeptByDaemon) this.#send(entry, entry.cancel);
      return;
    }
    try {
      const answer = await ask();
      if (answer === NO_ANSWER || this.#entries?.get(requestId) !== entry) return;
      this.#send(entry, entry.toResult(answer));
    } catch (cause) {
      // A handler that throws because its signal was aborted has not failed.
      if (this.#entries?.get(requestId) !== entry) return;
      this.#send(entry, entry.cancel);
      this.#host.report(handlerFailed(entry, cause));
    }
  }

  #send(entry: Entry, result: object): boolean {
    // Throws for an answer that is too large: the request then stays pending.
    const sent = this.#host.respond(entry.requestId, result);
    this.#forget(entry.requestId, result);
    if (!sent) this.#host.logger.info({ requestId: entry.requestId }, "An answer was late and was not sent");
    return sent;
  }

  #settle(requestId: string, reason: string): void {
    const entry = this.#entries?.get(requestId);
    this.#forget(requestId, undefined);
    if (entry === undefined) return;
    entry.controller.abort(new DaemonError("ABORTED", reason));
  }

  #forget(requestId: string, answer: object | undefined): void {
    this.#entries?.delete(requestId);
    this.#done ??= new Map();
    if (this.#done.has(requestId)) return;
    this.#done.set(requestId, answer);
    const [oldest] = this.#done.keys();
    if (this.#done.size > CLIENT_LIMITS.answeredRequests && oldest !== undefined) this.#done.delete(oldest);
  }
}

const NO_HANDLERS: readonly Handlers[] = [];
const ELSEWHERE = "The request was resolved elsewhere.";

function entryOf<Request extends PermissionRequest | AskUserRequest>(
  request: Request,
  handler: ((request: Request, context: HandlerContext) => unknown) | undefined,
  more: Pick<Entry, "toResult" | "cancel" | "isRepeat">,
): Entry {
  const { requestId } = request;
  const controller = new AbortController();
  const { signal } = controller;
  const { isRepeat } = more;
  const ask = handler && (() => handler(request, { signal, isRepeat }));
  return { requestId, controller, request, handler, ask, ...more };
}

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
