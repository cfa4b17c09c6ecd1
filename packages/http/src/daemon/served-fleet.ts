import type { AskUserReply, AvailableSession, PermissionAnswer } from "@daemon-sdk/client";
import { DaemonError, LIMITS, ProtocolError, withoutUndefined } from "@daemon-sdk/protocol";
import type { FleetAnswer, HttpFleet } from "./http-fleet.js";
import type { MissingMachine, ServedDaemon, SessionsAnswer } from "./served-daemon.js";

/** All machines of a fleet behind the gateway. */
export function servedFleet(fleet: HttpFleet): ServedDaemon {
  return {
    onSession: (sessionId, call) => fleet.onMachineOf(sessionId, (connection) => call(connection)),
    createSession({ labels, agent, ...options }) {
      return fleet.createSession({ ...options, needs: withoutUndefined({ labels, agent }) });
    },
    listSessions: (options) => sessionsOf(fleet, options),
    async listRequests({ sessionId }) {
      if (sessionId === undefined) {
        const { items, missing } = await fleet.listRequests();
        return { requests: items, missing: missing.map(stated) };
      }
      const requests = await fleet.onMachineOf(sessionId, async (connection, machineId) => {
        const own = await connection.listRequests({ sessionId });
        return own.map((request) => ({ ...request, machineId }));
      });
      return { requests, missing: [] };
    },
    answerRequest: (requestId, answer) => answerOn(fleet, requestId, answer),
    async searchSessions(search) {
      const { items, missing, isIncomplete } = await fleet.searchSessions(search);
      return { query: search.query, sessions: items, isIncomplete, missing: missing.map(stated) };
    },
    machines: () => [...fleet.machines()],
  };
}

/** The newest sessions of all machines. What is not on the page is on a later one: see {@link pageOf}. */
async function sessionsOf(fleet: HttpFleet, options: { limit?: number; endBefore?: number }): Promise<SessionsAnswer> {
  const { limit = LIMITS.sessionPage } = options;
  const cursors: number[] = [];
  const { items, missing } = await fleet.onMachines(async (connection, machineId) => {
    const { sessions, nextCursor } = await connection.listAvailableSessions({ ...options, limit });
    if (nextCursor !== undefined) cursors.push(nextCursor);
    return sessions.map((session) => ({ ...session, machineId }));
  });
  return { ...pageOf(items, cursors, limit), missing: missing.map(stated) };
}

/**
 * A page of the sessions of several machines, each of which gave its newest and, when it has more, the time before which they are. The
 * page ends at the newest of these times at the latest: behind it the lists have gaps.
 */
export function pageOf(
  items: readonly AvailableSession[],
  cursors: readonly number[],
  limit: number,
): Omit<SessionsAnswer, "missing"> {
  const sorted = [...items].sort((one, other) => other.updatedAt - one.updatedAt);
  const last = sorted[limit - 1];
  if (cursors.length === 0 && (last === undefined || sorted.length === limit))
    return { sessions: sorted, hasMore: false };
  const nextCursor = Math.max(last?.updatedAt ?? 0, ...cursors);
  // Cursors are finer than the times of sessions, which are whole milliseconds.
  const sessions = sorted.filter(({ updatedAt }) => updatedAt >= Math.floor(nextCursor));
  return { sessions, hasMore: true, nextCursor };
}

/**
 * Answers a request on the machine where it is pending. When none has it pending, all are asked: the one that had it states the answer
 * that counts.
 */
async function answerOn(fleet: HttpFleet, requestId: string, answer: PermissionAnswer | AskUserReply): Promise<void> {
  const { items } = await fleet.listRequests();
  const found = items.find((request) => request.requestId === requestId);
  const refusals: unknown[] = [];
  const { items: done, missing } = await fleet.onMachines(async (connection, machineId) => {
    if (found !== undefined && found.machineId !== machineId) return [];
    try {
      await connection.answerRequest(requestId, answer);
      return [machineId];
    } catch (error) {
      if (!DaemonError.is(error, "REQUEST_NOT_PENDING")) throw error;
      refusals.push(error);
      return [];
    }
  });
  if (done.length > 0) return;
  const stating = refusals.find((error) => ProtocolError.is(error) && Object(error.data).outcome !== undefined);
  const away = missing.find(({ machineId }) => found === undefined || found.machineId === machineId);
  throw stating ?? away?.error ?? refusals[0] ?? new DaemonError("REQUEST_NOT_PENDING", "No machine has that request.");
}

function stated({ machineId, error }: FleetAnswer<unknown>["missing"][number]): MissingMachine {
  // What is no `DaemonError` is a bug, whose text may hold anything.
  return DaemonError.is(error)
    ? { machineId, code: error.code, detail: error.message }
    : {
        machineId,
        code: "INTERNAL",
        detail: "The machine was not asked, for a reason that the log of the server states.",
      };
}
