import type { ResumeSessionResult } from "../params/index.js";
import type { PendingAskUser, PendingPermission } from "../requests.js";

/** A server request, as received on a link or read from a journal. */
export interface SessionRequest {
  readonly id: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** When the request is closed without an answer, in ms since the epoch. Not part of the frame; a snapshot contains it. */
  readonly deadlineAt?: number | undefined;
}

/** Pending requests, as `load_session` and `resume_session` list them. */
export type RequestLists = Pick<ResumeSessionResult, "pendingPermissions" | "pendingAskUserRequests">;

/** The pending requests of one session by id, oldest first. */
export class OpenRequests {
  readonly #permissions = new Map<string, PendingPermission>();
  readonly #questions = new Map<string, PendingAskUser>();

  /** Number of pending requests. */
  get size(): number {
    return this.#permissions.size + this.#questions.size;
  }

  /** Whether that request is pending. */
  has(requestId: string): boolean {
    return this.#permissions.has(requestId) || this.#questions.has(requestId);
  }

  /** Adds a request; one that is pending already keeps its place. False when the method is no request to the user. */
  add({ id: requestId, method, params, deadlineAt }: SessionRequest): boolean {
    const { sessionId: _of, ...asked } = params;
    const pending = { ...asked, requestId, ...(deadlineAt === undefined ? {} : { deadlineAt }) };
    switch (method) {
      case "request_permission":
        this.#permissions.set(requestId, pending as unknown as PendingPermission);
        return true;
      case "ask_user":
        this.#questions.set(requestId, pending as unknown as PendingAskUser);
        return true;
      default:
        return false;
    }
  }

  /** Removes a resolved request. False when it is not pending. */
  delete(requestId: string): boolean {
    return this.#permissions.delete(requestId) || this.#questions.delete(requestId);
  }

  /** Replaces the requests by a daemon's lists. Without both lists nothing changes; if one is absent, it counts as empty. */
  replace({ pendingPermissions, pendingAskUserRequests }: Partial<RequestLists>): void {
    if (pendingPermissions === undefined && pendingAskUserRequests === undefined) return;
    this.#permissions.clear();
    this.#questions.clear();
    for (const pending of pendingPermissions ?? []) this.#permissions.set(pending.requestId, pending);
    for (const pending of pendingAskUserRequests ?? []) this.#questions.set(pending.requestId, pending);
  }

  /** The pending requests, in the form of a snapshot. */
  lists(): RequestLists {
    return {
      pendingPermissions: [...this.#permissions.values()],
      pendingAskUserRequests: [...this.#questions.values()],
    };
  }
}
