import { isRecord, type Logger, type SessionId } from "@daemon-sdk/protocol";
import { CANCEL_ANSWERS } from "../agents/index.js";
import { failpoint } from "../failpoint.js";
import { resolution } from "../inbox/index.js";
import type { PendingRequestRow, TurnRow } from "../storage/index.js";
import type { HeldSession } from "./carried-session.js";
import { takeOver } from "./change-of-daemon.js";
import type { Session } from "./session.js";
import type { SessionHost } from "./session-host.js";

/** What {@link recover} found of an earlier daemon. */
export interface Recovered {
  /** Turns that an agent may have received; they end as `daemon_restarted`. */
  readonly endedTurns: number;
  /** Turns that were only accepted; they are queued again. */
  readonly waitingTurns: number;
  /** Requests whose agent has ended. */
  readonly closedRequests: number;
  /** Sessions with queued turns: release them when clients may connect. */
  readonly waiting: readonly Session[];
}

/** Sessions whose agents run on, by their ids. */
export type HeldSessions = ReadonlyMap<SessionId, HeldSession>;

const NONE_HELD: HeldSessions = new Map();

/** What an earlier daemon left of one session. */
interface Left {
  readonly turns: readonly TurnRow[];
  readonly requests: readonly PendingRequestRow[];
  readonly held: HeldSession | undefined;
}

/**
 * Brings the store to a state that is true without the earlier daemon. Call it after that daemon's agents were reaped and
 * before clients connect. Sessions whose agents run on are as they were. Appends the ends to the journals, so that resuming clients receive them.
 */
export async function recover(host: SessionHost, logger: Logger, held: HeldSessions = NONE_HELD): Promise<Recovered> {
  const { store } = host.services;
  const [turns, requests] = [await store.openTurns(), await store.pendingRequests()];
  const ids = new Set([...held.keys(), ...[...turns, ...requests].map(({ sessionId }) => sessionId)]);
  const waiting: Session[] = [];
  for (const id of ids) {
    const left = { turns: turns.filter(of(id)), requests: requests.filter(of(id)), held: held.get(id) };
    const session = await recoverSession(host, id, left, logger);
    if (session !== undefined && session.turns.waiting.length > 0) waiting.push(session);
  }
  const waitingTurns = turns.filter(({ state }) => state === "accepted").length;
  const keptTurns = [...held.values()].filter(({ carried }) => carried.turn !== undefined).length;
  const keptRequests = [...held.values()].reduce((sum, { carried }) => sum + carried.requests.length, 0);
  const endedTurns = turns.length - waitingTurns - keptTurns;
  const found = { endedTurns, waitingTurns, closedRequests: requests.length - keptRequests, kept: held.size };
  if (ids.size > 0) logger.warn(found, "recovered what an earlier daemon left open");
  return { ...found, waiting };
}

async function recoverSession(
  host: SessionHost,
  id: SessionId,
  { turns, requests, held }: Left,
  logger: Logger,
): Promise<Session | undefined> {
  try {
    const session = await host.load(id);
    failpoint("session-recovering");
    const lost = requests.filter(({ id }) => held?.carried.requests.some((carried) => carried.id === id) !== true);
    for (const row of lost) closeRequest(session, row, host.services.now());
    if (held === undefined) session.turns.restore(turns);
    else await takeOver(session, { held, turns, requests, ...host.services });
    await session.log.settled();
    failpoint("session-recovered");
    return session;
  } catch (error) {
    // An unreadable session must not prevent the service of the others.
    logger.error({ session: id, error: String(error) }, "a session could not be recovered");
    return undefined;
  }
}

function closeRequest(session: Session, row: PendingRequestRow, now: number): void {
  const parsed: unknown = JSON.parse(row.params);
  const result = CANCEL_ANSWERS[row.method];
  session.log.append(resolution(row, isRecord(parsed) ? parsed : {}, result));
  const outcome = JSON.stringify({ ...result, reason: "daemon_restarted" });
  session.log.save({ kind: "request", row: { ...row, outcome, resolvedAt: now } });
}

function of(id: SessionId): (row: { sessionId: SessionId }) => boolean {
  return (row) => row.sessionId === id;
}
