import { isDeepStrictEqual } from "node:util";
import { type InboxRequest, isRecord, ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import { answererOf, type PendingRequest } from "../../inbox/index.js";
import { SERVING_LIMITS } from "../../limits/index.js";
import type { PendingRequestRow } from "../../storage/index.js";
import { validAnswer } from "../valid-answer.js";
import { type Call, handle } from "./handler.js";

/** The inbox of all sessions (docs/protocol.md §8). */
export const REQUEST_HANDLERS = [
  handle("listRequests", async ({ sessionId: id }, { client, sessions, host }) => {
    if (id !== undefined) await sessions.rowOf(id);
    const reachable = new Map(sessions.open.map((session) => [session.id, session]));
    const isListed = ({ row, seq, log }: PendingRequest) =>
      // One that is not committed yet comes with the stream.
      reachable.has(row.sessionId) && seq <= log.committedSeq && (id === undefined || row.sessionId === id);
    const waiting = [...host.services.inbox.pending].filter(isListed);
    return { result: { requests: fitting(waiting, client.principal.keyId).map(({ row }) => asListed(row)) } };
  }),

  handle("answerRequest", async ({ requestId, result }, call) => {
    const { client, host } = call;
    const { inbox } = host.services;
    const pending = await reachableRequest(requestId, call);
    if (pending === undefined) await requireSame(requestId, result, call);
    else {
      const answer = validAnswer(pending, result);
      if (answer === undefined) throw notOffered(pending.row.method);
      const refusal = host.rules.answerRefusal(client.principal, pending.owner, answer);
      if (refusal !== undefined) throw refusal;
      inbox.resolve(pending, answer, { answeredBy: answererOf(client) });
      await pending.log.settled();
    }
    return { result: {} };
  }),
];

/** The request while it waits, else undefined. Throws for one of a session that the client does not reach. */
async function reachableRequest(id: string, { sessions, host }: Call): Promise<PendingRequest | undefined> {
  const { inbox } = host.services;
  const pending = inbox.find(id);
  if (pending === undefined) return undefined;
  await sessions.rowOf(pending.row.sessionId).catch(() => {
    throw notPending(undefined);
  });
  // Another answer may have won meanwhile.
  return inbox.find(id);
}

/** Resolves for an answer that repeats the one that won; rejects any other, which is too late. */
async function requireSame(id: string, result: unknown, { client, sessions, host }: Call): Promise<void> {
  const { inbox, store } = host.services;
  const resolving = inbox.findResolving(id);
  await resolving?.log.settled();
  const row = resolving?.row ?? (await store.readRequest(id));
  const isReached = row !== undefined && (await sessions.rowOf(row.sessionId).then(yes, no));
  if (!isReached) throw notPending(undefined);
  const { outcome, answeredBy } = row;
  const params: unknown = JSON.parse(row.params);
  const answer = validAnswer({ row, params: isRecord(params) ? params : {} }, result);
  const won: unknown = outcome === undefined ? undefined : JSON.parse(outcome);
  const isSame = answeredBy === answererOf(client) && answer !== undefined && isDeepStrictEqual(won, answer);
  if (!isSame) throw notPending(won);
}

const yes = () => true;
const no = () => false;

/** As many as one answer holds, in their order: requests of the client's own sessions before those of others'. */
function fitting(waiting: readonly PendingRequest[], keyId: string | undefined): PendingRequest[] {
  const isOwn = ({ owner }: PendingRequest) => owner === keyId;
  let room: number = SERVING_LIMITS.answerBytes;
  const fits = ({ use }: PendingRequest) => {
    room -= use.bytes + LISTED_BYTES;
    return room >= 0;
  };
  const own = waiting.filter(isOwn).filter(fits);
  const kept = new Set([...own, ...waiting.filter((pending) => !isOwn(pending)).filter(fits)]);
  return waiting.filter((pending) => kept.has(pending));
}

/** Bytes of a listed request beside its params. */
const LISTED_BYTES = 512;

function asListed({ id, sessionId: of, method, params, createdAt, deadlineAt }: PendingRequestRow): InboxRequest {
  const listed = { requestId: id, sessionId: of, method, params: JSON.parse(params) as unknown, createdAt };
  return { ...listed, ...(deadlineAt === undefined ? {} : { deadlineAt }) } as InboxRequest;
}

function notOffered(method: string): ProtocolError {
  const text = `The request does not offer that answer. Give one of its options, in the shape of a ${method} result.`;
  return new ProtocolError("INVALID_PARAMS", text, { rpcCode: RpcCode.invalidParams });
}

function notPending(outcome: unknown): ProtocolError {
  const text = "The request does not wait for an answer any more. `data.outcome` tells what became of it.";
  const data = outcome === undefined ? {} : { outcome };
  return new ProtocolError("REQUEST_NOT_PENDING", text, { rpcCode: RpcCode.internalError, data });
}
