import { type InboxRequest, newId, type PendingAskUser, type PendingPermission } from "@daemon-sdk/protocol";
import { CANCELLED, type FakeRequests, isAnswer } from "../script/index.js";

/** A pending request of the agent. */
interface Pending {
  readonly method: keyof FakeRequests;
  readonly params: FakeRequests[keyof FakeRequests]["params"];
  readonly createdAt: number;
  settle(result: FakeRequests[keyof FakeRequests]["result"]): void;
}

/** A resolved request with its result. */
export type Settled = { readonly requestId: string } & {
  [Method in keyof FakeRequests]: { readonly method: Method } & FakeRequests[Method];
}[keyof FakeRequests];

/** How a request was resolved, and by which principal. */
export interface Resolution {
  /** The accepted answer, or the reason why the request was closed. */
  readonly outcome: unknown;
  /** Principal that answered; undefined when the daemon closed the request. */
  readonly by: string | undefined;
}

/** Pending permission and ask-user requests of one session (docs/protocol.md §8). */
export class FakeInbox {
  readonly #pending = new Map<string, Pending>();
  readonly #resolved = new Map<string, Resolution>();
  readonly #now: () => number;
  readonly #onSettled: (settled: Settled) => void;

  constructor(now: () => number, onSettled: (settled: Settled) => void) {
    this.#now = now;
    this.#onSettled = onSettled;
  }

  /** Adds a request. `result` resolves with the first valid answer, or with cancel when the request is closed. */
  ask<Method extends keyof FakeRequests>(
    method: Method,
    params: FakeRequests[Method]["params"],
  ): { requestId: string; result: Promise<FakeRequests[Method]["result"]> } {
    const requestId = newId();
    const result = new Promise<FakeRequests[Method]["result"]>((resolve) => {
      this.#pending.set(requestId, { method, params, createdAt: this.#now(), settle: resolve });
    });
    return { requestId, result };
  }

  has(requestId: string): boolean {
    return this.#pending.has(requestId);
  }

  /** How a request was resolved; undefined while it is pending, or if it never existed. */
  resolutionOf(requestId: string): Resolution | undefined {
    return this.#resolved.get(requestId);
  }

  /** Resolves a request with an answer. False when it is not pending, or does not offer that answer. */
  answer(requestId: string, result: unknown, by: string): boolean {
    const pending = this.#pending.get(requestId);
    if (!pending || !isAnswer(pending.params, result)) return false;
    this.#settle(requestId, pending, result, { outcome: result, by });
    return true;
  }

  /** Closes a request with cancel. */
  cancel(requestId: string, reason: string): void {
    const pending = this.#pending.get(requestId);
    if (pending) this.#settle(requestId, pending, CANCELLED[pending.method], { outcome: reason, by: undefined });
  }

  /** Closes every request with cancel, as the end of a turn does. */
  cancelAll(reason: string): void {
    for (const requestId of [...this.#pending.keys()]) this.cancel(requestId, reason);
  }

  get permissions(): PendingPermission[] {
    return this.#listed("request_permission") as PendingPermission[];
  }

  get questions(): PendingAskUser[] {
    return this.#listed("ask_user") as PendingAskUser[];
  }

  /** Pending requests, oldest first, in the form of `list_requests`. */
  get requests(): InboxRequest[] {
    return [...this.#pending].map(([requestId, { method, params, createdAt }]) => {
      return { requestId, sessionId: params.sessionId, createdAt, method, params } as InboxRequest;
    });
  }

  #listed(wanted: keyof FakeRequests): object[] {
    return [...this.#pending].flatMap(([requestId, { method, params }]) => {
      const { sessionId: _, ...rest } = params;
      return method === wanted ? [{ requestId, ...rest }] : [];
    });
  }

  #settle(requestId: string, pending: Pending, result: Settled["result"], resolution: Resolution): void {
    this.#pending.delete(requestId);
    this.#resolved.set(requestId, resolution);
    const { method, params } = pending;
    this.#onSettled({ requestId, method, params, result } as Settled);
    pending.settle(result);
  }
}
