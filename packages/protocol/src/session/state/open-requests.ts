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
  /** Made when there is one of the kind: nearly all sessions have none. */
  #permissions: Map<string, PendingPermission> | undefined;
  #questions: Map<string, PendingAskUser> | undefined;

  /** Number of pending requests. */
  get size(): number {
    return (this.#permissions?.size ?? 0) + (this.#questions?.size ?? 0);
  }

  /** Whether that request is pending. */
  has(requestId: string): boolean {
    return this.#permissions?.has(requestId) === true || this.#questions?.has(requestId) === true;
  }

  /** Adds a request; one that is pending already keeps its place. False when the method is no request to the user. */
  add({ id: requestId, method, params, deadlineAt }: SessionRequest): boolean {
    const { sessionId: _of, ...asked } = params;
    const pending = { ...asked, requestId, ...(deadlineAt === undefined ? {} : { deadlineAt }) };
    switch (method) {
      case "request_permission":
        this.#permissions ??= new Map();
        this.#permissions.set(requestId, pending as unknown as PendingPermission);
        return true;
      case "ask_user":
        this.#questions ??= new Map();
        this.#questions.set(requestId, pending as unknown as PendingAskUser);
        return true;
      default:
        return false;
    }
  }

  /** Removes a resolved request. False when it is not pending. */
  delete(requestId: string): boolean {
    return this.#permissions?.delete(requestId) === true || this.#questions?.delete(requestId) === true;
  }

  /** Replaces the requests by a daemon's lists. Without both lists nothing changes; if one is absent, it counts as empty. */
  replace({ pendingPermissions, pendingAskUserRequests }: Partial<RequestLists>): void {
    if (pendingPermissions === undefined && pendingAskUserRequests === undefined) return;
    this.#permissions = byId(pendingPermissions);
    this.#questions = byId(pendingAskUserRequests);
  }

  /** The pending requests, in the form of a snapshot. */
  lists(): RequestLists {
    return {
      pendingPermissions: [...(this.#permissions?.values() ?? [])],
      pendingAskUserRequests: [...(this.#questions?.values() ?? [])],
    };
  }
}

function byId<Pending extends { readonly requestId: string }>(
  list: readonly Pending[] | undefined,
): Map<string, Pending> | undefined {
  if (list === undefined || list.length === 0) return undefined;
  return new Map(list.map((pending) => [pending.requestId, pending]));
}
