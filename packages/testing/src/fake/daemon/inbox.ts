import { type InboxRequest, newId, type PendingAskUser, type PendingPermission } from "@daemon-sdk/protocol";
import { CANCELLED, type FakeRequests, isAnswer } from "../script/index.js";

/** A request of the agent that waits for a client. */
interface Pending {
  readonly method: keyof FakeRequests;
  readonly params: FakeRequests[keyof FakeRequests]["params"];
  readonly createdAt: number;
  settle(result: FakeRequests[keyof FakeRequests]["result"]): void;
}

/** What an answered request has become. */
export type Settled = { readonly requestId: string } & {
  [Method in keyof FakeRequests]: { readonly method: Method } & FakeRequests[Method];
}[keyof FakeRequests];

/** Who resolved a request, and how. */
export interface Resolution {
  /** The answer that won, or the reason why it was closed. */
  readonly outcome: unknown;
  /** Who answered; undefined when the daemon closed it. */
  readonly by: string | undefined;
}

/** Permission and ask-user requests of one session that nobody has answered yet (docs/protocol.md §8). */
export class FakeInbox {
  readonly #pending = new Map<string, Pending>();
  readonly #resolved = new Map<string, Resolution>();
  readonly #now: () => number;
  readonly #onSettled: (settled: Settled) => void;

  constructor(now: () => number, onSettled: (settled: Settled) => void) {
    this.#now = now;
    this.#onSettled = onSettled;
  }

  /** Takes in a request. `result` resolves with the first valid answer, or with cancel when the request is closed. */
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

  /** How a request was resolved; undefined while it waits, or when it never was. */
  resolutionOf(requestId: string): Resolution | undefined {
    return this.#resolved.get(requestId);
  }

  /** Settles a request with an answer. False: it does not wait (any more), or does not offer that. */
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

  /** What waits, oldest first, as `list_requests` tells it. */
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
