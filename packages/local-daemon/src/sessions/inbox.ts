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
import type { AgentRequest } from "../agents/agent.js";
import type { PendingRequestRow, StoreWrite } from "../storage/store.js";
import type { SessionClient } from "./session-client.js";

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
  readonly #now: () => number;
  readonly #logger: Logger;
  /** Answers that came after another had won, or to a request that never was. */
  lateAnswers = 0;
  /** Answers that are not what the request offered. */
  invalidAnswers = 0;

  constructor(options: { now: () => number; logger: Logger }) {
    this.#now = options.now;
    this.#logger = options.logger;
  }

  /** Takes in an agent's request; it appears in the journal, and is pending from the same commit on. */
  add(owner: RequestOwner, request: AgentRequest, turnId: MessageId | undefined): void {
    // Ours: two agents may use the same id.
    const id = newId();
    const params = { ...request.params, sessionId: owner.id };
    const row: PendingRequestRow = {
      id,
      sessionId: owner.id,
      turnId,
      method: request.method,
      params: JSON.stringify(params),
      outcome: undefined,
      createdAt: this.#now(),
      resolvedAt: undefined,
    };
    const frame = owner.appendRequest(id, request.method, params);
    owner.save({ kind: "request", row });
    this.#pending.set(id, { row, params, frame, seq: owner.lastSeq, owner, request });
  }

  /** The request of that id, while it waits. */
  find(id: string): PendingRequest | undefined {
    return this.#pending.get(id);
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
      this.#resolve(pending, result);
      return "won";
    }
    this.invalidAnswers++;
    this.#logger.warn({ request: response.id, connection: client.id }, "an answer that the request does not offer");
    // An original client whose handler failed means no, when nobody else was asked who could still answer.
    if (pending.owner.wasOnlyAsked(client, pending.row.id)) this.#resolve(pending, CANCEL[pending.row.method]);
    return "invalid";
  }

  /** The agent closed its own request, as it does when it is interrupted. `requestId` is the agent's. */
  closeByAgent(sessionId: SessionId, requestId: unknown): void {
    const pending = this.pendingOf(sessionId).find(({ request }) => request.id === requestId);
    if (pending !== undefined) this.#resolve(pending, CANCEL[pending.row.method]);
  }

  /** Closes everything of a session whose turn or agent has ended. */
  closeAll(sessionId: SessionId): void {
    for (const pending of this.pendingOf(sessionId)) this.#resolve(pending, CANCEL[pending.row.method]);
  }

  #resolve(pending: PendingRequest, result: Record<string, unknown>): void {
    const { owner, row, request } = pending;
    this.#pending.delete(row.id);
    owner.notify(resolution(row, pending.params, result));
    owner.save({ kind: "request", row: { ...row, outcome: JSON.stringify(result), resolvedAt: this.#now() } });
    void owner.settled().then(() => request.respond(result));
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
