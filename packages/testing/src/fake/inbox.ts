import {
  type AskUserParams,
  type AskUserResult,
  newId,
  type PendingAskUser,
  type PendingPermission,
  type RequestPermissionParams,
  type RequestPermissionResult,
} from "@daemon-sdk/protocol";

/** A request of the daemon's that waits for a client. */
type Pending =
  | { kind: "permission"; params: RequestPermissionParams; resolve(result: RequestPermissionResult): void }
  | { kind: "ask"; params: AskUserParams; resolve(result: AskUserResult): void };

/** What an answered request has become. */
export type Settled =
  | { kind: "permission"; requestId: string; params: RequestPermissionParams; result: RequestPermissionResult }
  | { kind: "ask"; requestId: string; params: AskUserParams; result: AskUserResult };

/** Permission and ask-user requests of one session that nobody has answered yet (session spec §5.3, §6.4). */
export class FakeInbox {
  readonly #pending = new Map<string, Pending>();
  readonly #onSettled: (settled: Settled) => void;

  constructor(onSettled: (settled: Settled) => void) {
    this.#onSettled = onSettled;
  }

  askPermission(params: RequestPermissionParams): { requestId: string; result: Promise<RequestPermissionResult> } {
    const requestId = newId();
    const result = new Promise<RequestPermissionResult>((resolve) => {
      this.#pending.set(requestId, { kind: "permission", params, resolve });
    });
    return { requestId, result };
  }

  askUser(params: AskUserParams): { requestId: string; result: Promise<AskUserResult> } {
    const requestId = newId();
    const result = new Promise<AskUserResult>((resolve) => {
      this.#pending.set(requestId, { kind: "ask", params, resolve });
    });
    return { requestId, result };
  }

  /** Settles a request; false when it is not (or no longer) pending. A result that is none counts as cancel. */
  answer(requestId: string, result: unknown): boolean {
    const pending = this.#pending.get(requestId);
    if (!pending) return false;
    this.#pending.delete(requestId);
    if (pending.kind === "permission") {
      const answer = isPermissionResult(result) ? result : ({ selectedOption: "cancel" } as const);
      this.#onSettled({ kind: "permission", requestId, params: pending.params, result: answer });
      pending.resolve(answer);
    } else {
      const answer = isAskUserResult(result) ? result : { cancelled: true, answers: [] };
      this.#onSettled({ kind: "ask", requestId, params: pending.params, result: answer });
      pending.resolve(answer);
    }
    return true;
  }

  /** Closes every request with cancel, as the end of a turn does. */
  cancelAll(): void {
    for (const requestId of [...this.#pending.keys()]) this.answer(requestId, undefined);
  }

  get permissions(): PendingPermission[] {
    return [...this.#pending].flatMap(([requestId, pending]) => {
      if (pending.kind !== "permission") return [];
      const { sessionId: _, ...rest } = pending.params;
      return [{ requestId, ...rest }];
    });
  }

  get questions(): PendingAskUser[] {
    return [...this.#pending].flatMap(([requestId, pending]) => {
      if (pending.kind !== "ask") return [];
      const { sessionId: _, ...rest } = pending.params;
      return [{ requestId, ...rest }];
    });
  }
}

function isPermissionResult(value: unknown): value is RequestPermissionResult {
  return (
    typeof value === "object" && value !== null && "selectedOption" in value && typeof value.selectedOption === "string"
  );
}

/** Answers as bare strings are refused: a real daemon's turn is stuck on them (session spec §6.4). */
function isAskUserResult(value: unknown): value is AskUserResult {
  if (typeof value !== "object" || value === null || !("answers" in value) || !Array.isArray(value.answers))
    return false;
  return value.answers.every((answer) => typeof answer === "object" && answer !== null && "answer" in answer);
}
