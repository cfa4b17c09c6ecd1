import {
  isFailure,
  isRecord,
  type Logger,
  type MessageId,
  newId,
  type ResponseEnvelope,
  type SessionId,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import type { AgentRequest } from "../agents/index.js";
import type { SessionClient } from "../journal/index.js";
import type { PendingRequestRow, StoreWrite } from "../storage/index.js";

/** The session a request belongs to, as far as the inbox needs it. */
export interface RequestOwner {
  readonly id: SessionId;
  /** Position of the last entry of its journal. */
  readonly lastSeq: number;
  appendRequest(id: string, method: string, params: Record<string, unknown>): string;
  notify(notification: SessionNotification): void;
  save(write: StoreWrite): void;
  /** Whether nobody but this client can be expected to answer. */
  wasOnlyAsked(client: SessionClient, requestId: string): boolean;
  /** Resolves when everything told so far has been tried to be stored. */
  settled(): Promise<void>;
}

/** A request that waits for its answer. */
export interface PendingRequest {
  readonly row: PendingRequestRow;
  readonly params: Record<string, unknown>;
  /** The request as it stands in the journal, and where. */
  readonly frame: string;
  readonly seq: number;
  readonly owner: RequestOwner;
  readonly request: AgentRequest;
}

/** Who resolved a request, or why. */
export interface Resolution {
  /** {@link answererOf} the client that answered. */
  readonly answeredBy?: string;
  /** Why it was closed without an answer. */
  readonly reason?: "turn_ended" | "withdrawn" | "deadline";
}

/** Names whoever answers, the same on each of their connections: an answer that was lost with its link may come again. */
export function answererOf({ principal }: Pick<SessionClient, "principal">): string {
  return principal.keyId ?? "person";
}

/** What became of an answer. Only `won` acts; the others are counted. */
export type AnswerOutcome = "won" | "late" | "invalid";

/** Cancels, in the words of each method: what an agent is told when nobody can or will answer. */
const CANCEL = {
  request_permission: { selectedOption: "cancel" },
  ask_user: { cancelled: true, answers: [] },
} as const satisfies Record<AgentRequest["method"], Record<string, unknown>>;

/**
 * The requests of all agents that wait for a person: stored, listed with their session, answered from any connection.
 *
 * The first valid answer wins and is stored before the agent hears it. Requests whose agent or turn ended are closed. Each
 * end is told to everybody once, as `permission_resolved` or `ask_user_resolved`, by the daemon and never by the agent.
 */
export class Inbox {
  readonly #pending = new Map<string, PendingRequest>();
  /** Resolved, and not stored as that yet. */
  readonly #resolving = new Map<string, PendingRequest>();
  readonly #deadlines = new Map<string, NodeJS.Timeout>();
  readonly #now: () => number;
  readonly #timeoutMs: number | undefined;
  readonly #logger: Logger;
  /** Answers that came after another had won, or to a request that never was. */
  lateAnswers = 0;
  /** Answers that are not what the request offered. */
  invalidAnswers = 0;

  /** @param options.timeoutMs how long a request may wait; default as long as its turn */
  constructor(options: { now: () => number; logger: Logger; timeoutMs?: number | undefined }) {
    this.#now = options.now;
    this.#timeoutMs = options.timeoutMs;
    this.#logger = options.logger;
  }

  /** Takes in an agent's request; it appears in the journal, and is pending from the same commit on. */
  add(owner: RequestOwner, request: AgentRequest, turnId: MessageId | undefined): void {
    // Ours: two agents may use the same id.
    const id = newId();
    const params = { ...request.params, sessionId: owner.id };
    const createdAt = this.#now();
    const row: PendingRequestRow = {
      id,
      sessionId: owner.id,
      turnId,
      method: request.method,
      params: JSON.stringify(params),
      outcome: undefined,
      createdAt,
      resolvedAt: undefined,
      ...(this.#timeoutMs === undefined ? {} : { deadlineAt: createdAt + this.#timeoutMs }),
    };
    const frame = owner.appendRequest(id, request.method, params);
    owner.save({ kind: "request", row });
    const pending = { row, params, frame, seq: owner.lastSeq, owner, request };
    this.#pending.set(id, pending);
    if (this.#timeoutMs !== undefined) this.#deadlines.set(id, this.#timer(pending, this.#timeoutMs));
  }

  /** The request of that id, while it waits. */
  find(id: string): PendingRequest | undefined {
    return this.#pending.get(id);
  }

  /** The request of that id between its end and the commit of it. */
  findResolving(id: string): PendingRequest | undefined {
    return this.#resolving.get(id);
  }

  /** How many requests wait, by session. */
  counts(): ReadonlyMap<SessionId, number> {
    const counts = new Map<SessionId, number>();
    for (const { owner } of this.#pending.values()) counts.set(owner.id, (counts.get(owner.id) ?? 0) + 1);
    return counts;
  }

  /** Requests of one session that wait, oldest first. */
  pendingOf(sessionId: SessionId): PendingRequest[] {
    return [...this.#pending.values()].filter(({ owner }) => owner.id === sessionId);
  }

  /** Takes a response frame of any client. `check` tells what of it the agent may have. */
  answer(response: ResponseEnvelope, client: SessionClient, check: AnswerCheck): AnswerOutcome {
    const pending = response.id === null ? undefined : this.#pending.get(response.id);
    if (pending === undefined) {
      this.lateAnswers++;
      this.#logger.info({ request: response.id, connection: client.id, late: this.lateAnswers }, "late answer ignored");
      return "late";
    }
    const result = isFailure(response) ? undefined : check(pending, response.result);
    if (result !== undefined) {
      this.resolve(pending, result, { answeredBy: answererOf(client) });
      return "won";
    }
    this.invalidAnswers++;
    this.#logger.warn({ request: response.id, connection: client.id }, "an answer that the request does not offer");
    // An original client whose handler failed means no, when nobody else was asked who could still answer.
    if (pending.owner.wasOnlyAsked(client, pending.row.id)) this.#cancel(pending, {});
    return "invalid";
  }

  /** The agent closed its own request, as it does when it is interrupted. `requestId` is the agent's. */
  closeByAgent(sessionId: SessionId, requestId: unknown): void {
    const pending = this.pendingOf(sessionId).find(({ request }) => request.id === requestId);
    if (pending !== undefined) this.#cancel(pending, { reason: "withdrawn" });
  }

  /** Closes everything of a session whose turn or agent has ended. */
  closeAll(sessionId: SessionId): void {
    for (const pending of this.pendingOf(sessionId)) this.#cancel(pending, { reason: "turn_ended" });
  }

  /** Ends a request that waits, with a result that its check has passed: told, stored, and then given to the agent. */
  resolve(pending: PendingRequest, result: Record<string, unknown>, { answeredBy, reason }: Resolution): void {
    const { owner, request } = pending;
    const { id } = pending.row;
    clearTimeout(this.#deadlines.get(id));
    this.#deadlines.delete(id);
    this.#pending.delete(id);
    const outcome = JSON.stringify(reason === undefined ? result : { ...result, reason });
    const row: PendingRequestRow = { ...pending.row, outcome, answeredBy, resolvedAt: this.#now() };
    owner.notify(resolution(row, pending.params, result));
    owner.save({ kind: "request", row });
    this.#resolving.set(id, { ...pending, row });
    void owner.settled().then(() => {
      this.#resolving.delete(id);
      request.respond(result);
    });
  }

  #cancel(pending: PendingRequest, resolved: Resolution): void {
    this.resolve(pending, CANCEL[pending.row.method], resolved);
  }

  #timer(pending: PendingRequest, timeoutMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#cancel(pending, { reason: "deadline" }), timeoutMs).unref();
  }
}

/** The answer as the agent may have it, or undefined when it is not one of those that the request offers. */
export type AnswerCheck = (
  request: Pick<PendingRequest, "row" | "params">,
  result: unknown,
) => Record<string, unknown> | undefined;

/** What everybody is told of a request's end. */
export function resolution(
  row: Pick<PendingRequestRow, "id" | "method">,
  params: Record<string, unknown>,
  result: Record<string, unknown>,
): SessionNotification {
  if (row.method === "ask_user") {
    const { toolCallId } = params;
    return { type: "ask_user_resolved", requestId: row.id, toolCallId, cancelled: result.cancelled === true };
  }
  const toolUses = Array.isArray(params.toolUses) ? params.toolUses : [];
  const toolUseIds = toolUses.map((entry) =>
    isRecord(entry) && isRecord(entry.toolUse) ? entry.toolUse.id : undefined,
  );
  return {
    type: "permission_resolved",
    requestId: row.id,
    toolUseIds: toolUseIds.filter((id) => typeof id === "string"),
    selectedOption: result.selectedOption,
  };
}
