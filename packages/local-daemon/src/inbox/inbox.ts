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
import { type AgentRequest, CANCEL_ANSWERS } from "../agents/index.js";
import type { JournalReader, SessionLog } from "../journal/index.js";
import { JOURNAL_LIMITS } from "../limits/index.js";
import type { PendingRequestRow } from "../storage/index.js";
import { InboxRoom, type RoomUse } from "./inbox-room.js";

/** The recipients of a request. */
export interface Addressees {
  /** Whether no other client is expected to answer. */
  isOnlyAsked(client: JournalReader, requestId: string): boolean;
}

/** The session and turn of an agent's request. */
export interface RequestPlace {
  /** The journal of its session. */
  readonly log: SessionLog;
  readonly addressees: Addressees;
  /** Whose session it is, as of the session's row. */
  readonly owner: string | undefined;
  readonly turnId: MessageId | undefined;
}

/** A pending request. */
export interface PendingRequest extends RequestPlace {
  readonly row: PendingRequestRow;
  readonly params: Record<string, unknown>;
  /** The request's row, with its position in the journal. */
  readonly frame: string;
  readonly seq: number;
  readonly request: AgentRequest;
  /** What it holds of the inbox's room. */
  readonly use: RoomUse;
}

/** What only memory has of a pending request, as plain data. */
export interface CarriedRequest {
  readonly id: string;
  /** The agent's own id of it. */
  readonly agentId: string;
  /** Its position in the journal. */
  readonly seq: number;
}

/** The client that resolved a request, or the reason. */
export interface Resolution {
  /** {@link answererOf} the client that answered. */
  readonly answeredBy?: string;
  /** Why the request was closed without an answer. */
  readonly reason?: "turn_ended" | "withdrawn" | "deadline";
}

/** Identity of an answering client, the same on each of its connections, because a client may repeat an answer that was lost with its link. */
export function answererOf({ principal }: Pick<JournalReader, "principal">): string {
  return principal.keyId ?? "person";
}

/**
 * Result of an answer. Only `won` has an effect; the others are counted. `foreign`: the request belongs to a session that the
 * client does not reach; for the client there is no such request.
 */
export type AnswerOutcome = "won" | "late" | "foreign" | "invalid";

/** Options of {@link Inbox.answer}. */
export interface AnswerRules {
  /** Whether the client may reach that session. */
  reaches(sessionId: SessionId): boolean;
  readonly check: AnswerCheck;
  /** Whether the client may give that answer; the request stays pending for others when it may not. */
  allows(pending: PendingRequest, answer: Record<string, unknown>): boolean;
}

/**
 * The pending requests of all agents: stored, listed with their session, answered from any connection.
 *
 * The first valid answer wins and is stored before the agent receives it. Requests whose agent or turn ended are closed. The
 * journal holds each end once, as `permission_resolved` or `ask_user_resolved`, written by the daemon and never by the agent.
 */
export class Inbox {
  readonly #pending = new Map<string, PendingRequest>();
  readonly #bySession = new Map<SessionId, Set<PendingRequest>>();
  readonly #room = new InboxRoom();
  /** Resolved, and not stored as that yet. */
  readonly #resolving = new Map<string, PendingRequest>();
  readonly #deadlines = new Map<string, NodeJS.Timeout>();
  readonly #now: () => number;
  readonly #timeoutMs: number | undefined;
  readonly #logger: Logger;
  /** Number of answers after another had won, or to a request that does not exist for the client. */
  lateAnswers = 0;
  /** Number of answers that the request does not offer. */
  invalidAnswers = 0;

  /** @param options.timeoutMs how long a request may be pending; default until its turn ends */
  constructor(options: { now: () => number; logger: Logger; timeoutMs?: number | undefined }) {
    this.#now = options.now;
    this.#timeoutMs = options.timeoutMs;
    this.#logger = options.logger;
  }

  /**
   * Adds an agent's request. Its entry and its pending row are stored in the same commit. While too many wait, or too large ones
   * (`INBOX_LIMITS`), or when the request is too large to be delivered, it is refused to the agent. Returns the reason when too many
   * wait.
   */
  add(request: AgentRequest, place: RequestPlace): string | undefined {
    const { log, turnId, owner } = place;
    const { sessionId } = log;
    const { method } = request;
    // Before anything is made of it: a flood of requests is refused one by one.
    const isFull = this.#room.refusalOf({ sessionId, owner, bytes: 0 });
    if (isFull !== undefined) return refuse(request, isFull);
    // Ours: two agents may use the same id.
    const id = newId();
    const params = { ...request.params, sessionId };
    const createdAt = this.#now();
    const row: PendingRequestRow = {
      id,
      sessionId,
      turnId,
      method,
      params: JSON.stringify(params),
      outcome: undefined,
      createdAt,
      resolvedAt: undefined,
      ...(this.#timeoutMs === undefined ? {} : { deadlineAt: createdAt + this.#timeoutMs }),
    };
    const use = { sessionId, owner, bytes: Buffer.byteLength(row.params) };
    // One that is too large by itself is refused for that: it would be as large with nothing else waiting.
    const refusal = use.bytes > JOURNAL_LIMITS.requestBytes ? undefined : this.#room.refusalOf(use);
    if (refusal !== undefined) return refuse(request, refusal);
    const frame = log.appendRequest({ id, method, params, deadlineAt: row.deadlineAt }, row.params);
    if (typeof frame !== "string") {
      request.refuse(`${method} has ${frame.bytes} bytes, and a request may have ${frame.maxBytes}. Nobody was asked.`);
      return undefined;
    }
    log.save({ kind: "request", row });
    this.#hold({ ...place, row, params, frame, seq: log.lastSeq, request, use });
    return undefined;
  }

  /** The pending request of that id. */
  find(id: string): PendingRequest | undefined {
    return this.#pending.get(id);
  }

  /** The request of that id between its end and the commit of it. */
  findResolving(id: string): PendingRequest | undefined {
    return this.#resolving.get(id);
  }

  /** Pending requests of all sessions, oldest first. */
  get pending(): Iterable<PendingRequest> {
    return this.#pending.values();
  }

  /** How many requests of all sessions are pending. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Pending requests of one session, oldest first. */
  pendingOf(sessionId: SessionId): PendingRequest[] {
    return [...(this.#bySession.get(sessionId) ?? [])];
  }

  /** Handles a response frame of any client. */
  answer(response: ResponseEnvelope, client: JournalReader, { reaches, check, allows }: AnswerRules): AnswerOutcome {
    const pending = response.id === null ? undefined : this.#pending.get(response.id);
    if (pending === undefined || !reaches(pending.row.sessionId)) {
      const outcome = pending === undefined ? "late" : "foreign";
      this.lateAnswers++;
      const fields = { request: response.id, connection: client.id, outcome, late: this.lateAnswers };
      this.#logger.info(fields, "late answer ignored");
      return outcome;
    }
    const result = isFailure(response) ? undefined : check(pending, response.result);
    if (result !== undefined && allows(pending, result)) {
      this.resolve(pending, result, { answeredBy: answererOf(client) });
      return "won";
    }
    this.invalidAnswers++;
    const message = "an answer that the request does not offer, or that its client may not give";
    this.#logger.warn({ request: response.id, connection: client.id }, message);
    if (result !== undefined) return "invalid";
    // An error response of a client of the original counts as a refusal, if no other client received the request.
    if (pending.addressees.isOnlyAsked(client, pending.row.id)) this.#cancel(pending, {});
    return "invalid";
  }

  /** Closes a request that the agent itself closed, as after an interrupt. `requestId` is the agent's. */
  closeByAgent(sessionId: SessionId, requestId: unknown): void {
    const pending = this.pendingOf(sessionId).find(({ request }) => request.id === requestId);
    if (pending !== undefined) this.#cancel(pending, { reason: "withdrawn" });
  }

  /** Closes all requests of a session whose turn or agent has ended. */
  closeAll(sessionId: SessionId): void {
    for (const pending of this.pendingOf(sessionId)) this.#cancel(pending, { reason: "turn_ended" });
  }

  /** Resolves a pending request with a checked result: first in the journal and the store, then to the agent. */
  resolve(pending: PendingRequest, result: Record<string, unknown>, { answeredBy, reason }: Resolution): void {
    const { log, request } = pending;
    const { id } = pending.row;
    if (!this.#release(pending)) return;
    const outcome = JSON.stringify(reason === undefined ? result : { ...result, reason });
    const row: PendingRequestRow = { ...pending.row, outcome, answeredBy, resolvedAt: this.#now() };
    log.append(resolution(row, pending.params, result));
    log.save({ kind: "request", row });
    this.#resolving.set(id, { ...pending, row });
    void log.settled().then(() => {
      this.#resolving.delete(id);
      request.respond(result);
    });
  }

  /** Takes the requests of a session out without an end: another daemon goes on with them. */
  handOver(sessionId: SessionId): CarriedRequest[] {
    return this.pendingOf(sessionId).map((pending) => {
      this.#release(pending);
      return { id: pending.row.id, agentId: pending.request.id, seq: pending.seq };
    });
  }

  /** Waits for the answer of a request of an earlier daemon, whose entry is in the journal. */
  restore(
    row: PendingRequestRow,
    request: AgentRequest,
    entry: { frame: string; seq: number },
    place: RequestPlace,
  ): void {
    const params: unknown = JSON.parse(row.params);
    const use = { sessionId: row.sessionId, owner: place.owner, bytes: Buffer.byteLength(row.params) };
    this.#hold({ ...place, ...entry, row, request, use, params: isRecord(params) ? params : {} });
  }

  #hold(pending: PendingRequest): void {
    const { id, sessionId } = pending.row;
    this.#pending.set(id, pending);
    const ofSession = this.#bySession.get(sessionId) ?? new Set();
    this.#bySession.set(sessionId, ofSession.add(pending));
    this.#room.take(pending.use);
    const { deadlineAt } = pending.row;
    if (deadlineAt !== undefined) this.#deadlines.set(id, this.#timer(pending, Math.max(0, deadlineAt - this.#now())));
  }

  /** False when it does not wait any more. */
  #release(pending: PendingRequest): boolean {
    const { id, sessionId } = pending.row;
    if (!this.#pending.delete(id)) return false;
    clearTimeout(this.#deadlines.get(id));
    this.#deadlines.delete(id);
    const ofSession = this.#bySession.get(sessionId);
    ofSession?.delete(pending);
    if (ofSession?.size === 0) this.#bySession.delete(sessionId);
    this.#room.release(pending.use);
    return true;
  }

  #cancel(pending: PendingRequest, resolved: Resolution): void {
    this.resolve(pending, CANCEL_ANSWERS[pending.row.method], resolved);
  }

  #timer(pending: PendingRequest, timeoutMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#cancel(pending, { reason: "deadline" }), timeoutMs).unref();
  }
}

function refuse(request: AgentRequest, why: string): string {
  request.refuse(`${why} Nobody was asked.`);
  return why;
}

/** Checks an answer. Returns the result for the agent, or undefined when the request does not offer the answer. */
export type AnswerCheck = (
  request: Pick<PendingRequest, "row" | "params">,
  result: unknown,
) => Record<string, unknown> | undefined;

/** The entry that states a request's end. */
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
