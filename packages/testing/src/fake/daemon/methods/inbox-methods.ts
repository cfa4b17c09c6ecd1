import { LIMITS, type Position, RpcCode, type SessionMessage } from "@daemon-sdk/protocol";
import { isWholeNumbers, optionalString, requiredString, rpcFault } from "../../wire/index.js";
import { type FakeCall, type FakeMethod, sessionOf, sessionsFor } from "../calls.js";
import type { FakeEntry } from "../journal.js";
import type { FakeSession } from "../session.js";

/** Methods of requests and receipts of all sessions (docs/protocol.md §7, §8). */
export const INBOX_METHODS: ReadonlyMap<string, FakeMethod> = new Map<string, FakeMethod>([
  ["get_receipts", getReceipts],
  ["get_turn_events", getTurnEvents],
  ["get_session_events", getSessionEvents],
  ["list_requests", listRequests],
  ["answer_request", answerRequest],
]);

async function getReceipts(call: FakeCall): Promise<unknown> {
  const { messageIds } = call.params;
  const isList = Array.isArray(messageIds) && messageIds.every((id) => typeof id === "string");
  if (!isList || messageIds.length > LIMITS.receiptsPerCall) {
    const message = `Invalid params: messageIds must be a list of at most ${LIMITS.receiptsPerCall} strings`;
    throw rpcFault(RpcCode.invalidParams, message);
  }
  const session = sessionOf(call);
  const { receipts } = session;
  await waited(call, session, () => receipts.haveEnded(messageIds));
  return { receipts: messageIds.map((id: string) => receipts.of(id)) };
}

/** Entries in one page of a turn: few, so that tests have several pages. */
const PAGE = 32;

function getTurnEvents(call: FakeCall): unknown {
  const session = sessionOf(call);
  const messageId = requiredString(call.params, "messageId");
  const { text, ...receipt } = session.receipts.of(messageId);
  const { firstSeq, lastSeq = Number.POSITIVE_INFINITY } = receipt;
  if (firstSeq === undefined) return { receipt, events: [] };
  const fromSeq = Math.max(Number(call.params.fromSeq ?? 0), firstSeq);
  const { journal } = session;
  const end = Math.min(lastSeq, journal.position.seq, fromSeq + PAGE - 1);
  if (fromSeq <= lastSeq && !journal.keeps(fromSeq)) {
    return {
      receipt: { ...receipt, ...(text === undefined ? {} : { text }) },
      events: [],
      messages: messagesOf(session, messageId),
    };
  }
  const events: object[] = [];
  for (let seq = fromSeq; seq <= end; seq++) {
    const { params = {}, position } = journal.entry(seq) ?? {};
    if ("notification" in params) events.push({ ...position, notification: params.notification });
  }
  return { receipt, events, ...(end < lastSeq && end >= fromSeq ? { nextSeq: end + 1 } : {}) };
}

function messagesOf(session: FakeSession, messageId: string): readonly SessionMessage[] {
  const own = session.messages.findIndex(({ id }) => id === messageId);
  if (own < 0) return [];
  const next = session.messages.findIndex(({ id }, index) => index > own && session.hasMessage(id));
  return session.messages.slice(own, next < 0 ? undefined : next);
}

async function getSessionEvents(call: FakeCall): Promise<unknown> {
  const session = sessionOf(call);
  const { after } = call.params;
  const { journal } = session;
  if (after === undefined) return { events: [], position: journal.position };
  if (!isWholeNumbers(after, "epoch", "seq")) {
    throw rpcFault(RpcCode.invalidParams, "Invalid params: after must be { epoch, seq }");
  }
  await waited(call, session, () => journal.position.seq !== after.seq);
  const isIncomplete = !journal.goesOnAfter(after);
  const first = Math.max(after.seq + 1, journal.firstSeq);
  const events: PagedEvent[] = [];
  let position: Position = isIncomplete ? journal.position : { epoch: after.epoch, seq: after.seq };
  for (let seq = first; seq < first + PAGE; seq++) {
    const entry = journal.entry(seq);
    if (entry === undefined) break;
    position = entry.position;
    const notification = pagedNotification(entry);
    if (notification === undefined || (entry.requestId !== undefined && call.params.includeRequests !== true)) continue;
    const turnId = session.receipts.turnAt(seq);
    events.push({ ...position, ...(turnId === undefined ? {} : { turnId }), notification });
  }
  const page = call.params.runs === true ? { events: [], runs: runsOf(events) } : { events };
  return { ...page, position, ...(isIncomplete ? { isIncomplete } : {}) };
}

interface PagedEvent extends Position {
  readonly turnId?: string;
  readonly notification: unknown;
}

/** The same with one object for all events of a turn that follow one another. */
function runsOf(events: readonly PagedEvent[]): object[] {
  const runs: (Position & { readonly turnId?: string; readonly notifications: unknown[] })[] = [];
  for (const { notification, ...place } of events) {
    const run = runs.at(-1);
    const isNext = run !== undefined && place.seq === run.seq + run.notifications.length;
    if (isNext && place.epoch === run.epoch && place.turnId === run.turnId) run.notifications.push(notification);
    else runs.push({ ...place, notifications: [notification] });
  }
  return runs;
}

/** What a page contains for an entry; a request becomes a notification of its own type. */
function pagedNotification({ requestId, method, params }: FakeEntry): unknown {
  if (requestId !== undefined) return { type: "request_opened", requestId, method, params };
  return "notification" in params ? params.notification : undefined;
}

/** Waits until `isDue` holds, as long as the call's `waitMs`. */
async function waited({ params, link, daemon }: FakeCall, session: FakeSession, isDue: () => boolean): Promise<void> {
  const { waitMs } = params;
  if (!daemon.capabilities.sessionEvents || typeof waitMs !== "number" || waitMs === 0) return;
  const endsAt = daemon.clock.now() + waitMs;
  while (!isDue() && link.isOpen && daemon.clock.now() < endsAt) {
    await session.changes.next(link, endsAt - daemon.clock.now());
  }
}

function listRequests(call: FakeCall): unknown {
  const only = optionalString(call.params, "sessionId");
  const sessions = only === undefined ? sessionsFor(call) : [sessionOf(call)];
  const requests = sessions.flatMap(({ inbox }) => inbox.requests);
  return { requests: requests.sort((a, b) => a.createdAt - b.createdAt) };
}

function answerRequest(call: FakeCall): unknown {
  const { link, params } = call;
  const requestId = requiredString(params, "requestId");
  const by = link.principal;
  const sessions = sessionsFor(call);
  if (sessions.some(({ inbox }) => inbox.answer(requestId, params.result, by))) return {};
  if (sessions.some(({ inbox }) => inbox.has(requestId))) {
    throw rpcFault(RpcCode.invalidParams, "Invalid params: the request does not offer that answer");
  }
  const resolutions = sessions.flatMap(({ inbox }) => inbox.resolutionOf(requestId) ?? []);
  const [resolution] = resolutions;
  // A client that lost its connection before the response may repeat the call.
  if (resolution?.by === by && JSON.stringify(resolution.outcome) === JSON.stringify(params.result)) return {};
  const data = { code: "REQUEST_NOT_PENDING", ...(resolution ? { outcome: resolution.outcome } : {}) };
  throw rpcFault(RpcCode.internalError, "The request is no longer pending", data);
}
