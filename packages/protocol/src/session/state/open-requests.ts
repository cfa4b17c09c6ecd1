import type { ResumeSessionResult } from "../params/index.js";
import type { PendingAskUser, PendingPermission } from "../requests.js";

/** A server request, as a link or a journal holds it. */
export interface SessionRequest {
  readonly id: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** When it is closed without an answer, in ms since the epoch. Not part of the frame; a snapshot lists it. */
  readonly deadlineAt?: number | undefined;
}

/** Requests that wait for an answer, as `load_session` and `resume_session` list them. */
export type RequestLists = Pick<ResumeSessionResult, "pendingPermissions" | "pendingAskUserRequests">;

/** The requests of one session that wait for an answer, each under its id, oldest first. */
export class OpenRequests {
  readonly #permissions = new Map<string, PendingPermission>();
  readonly #questions = new Map<string, PendingAskUser>();

  /** How many requests wait. */
  get size(): number {
    return this.#permissions.size + this.#questions.size;
  }

  /** Whether that request waits. */
  has(requestId: string): boolean {
    return this.#permissions.has(requestId) || this.#questions.has(requestId);
  }

  /** Adds a request; one that waits already keeps its place. False for a method that asks nobody. */
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

  /** Removes a request that was resolved. False when it does not wait. */
  delete(requestId: string): boolean {
    return this.#permissions.delete(requestId) || this.#questions.delete(requestId);
  }

  /** Takes over what a daemon lists. Without either list nothing changes; a list that is absent beside the other is empty. */
  replace({ pendingPermissions, pendingAskUserRequests }: Partial<RequestLists>): void {
    if (pendingPermissions === undefined && pendingAskUserRequests === undefined) return;
    this.#permissions.clear();
    this.#questions.clear();
    for (const pending of pendingPermissions ?? []) this.#permissions.set(pending.requestId, pending);
    for (const pending of pendingAskUserRequests ?? []) this.#questions.set(pending.requestId, pending);
  }

  /** What waits, in the words of a snapshot. */
  lists(): RequestLists {
    return {
      pendingPermissions: [...this.#permissions.values()],
      pendingAskUserRequests: [...this.#questions.values()],
    };
  }
}
