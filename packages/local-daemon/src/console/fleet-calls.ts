import {
  type ConsoleFleet,
  type ConsoleMachine,
  type ConsoleMissing,
  type ConsoleRequest,
  type ConsoleSession,
  DaemonError,
  InvalidOptionError,
  isRecord,
  LIMITS,
} from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";
import type { FleetForConsole, ShownAnswer, ShownMachine, ShownSession } from "./shown-fleet.js";

/** What the lists of the console need of one machine, beside the one that serves the console. */
interface MachineLists {
  readonly machineId: string;
  readonly sessions: readonly ShownSession[];
  readonly nextCursor: number | undefined;
  readonly activities: ReadonlyMap<string, string>;
  readonly requests: readonly ConsoleRequest[];
}

/** Answers a call of the console. Throws a `DaemonError`. */
export type FleetCall = (fleet: FleetForConsole, body: Readonly<Record<string, unknown>>) => Promise<object>;

/** The calls of the console about its fleet, by their names. */
export const FLEET_CALLS: ReadonlyMap<string, FleetCall> = new Map<string, FleetCall>([
  ["fleet", overview],
  ["fleet/search", search],
  ["fleet/place", place],
]);

/** The machines, and a page of the sessions and requests of all of them but this one. */
async function overview(fleet: FleetForConsole, body: Readonly<Record<string, unknown>>): Promise<ConsoleFleet> {
  const { machineId } = fleet;
  const endBefore = typeof body.endBefore === "number" ? body.endBefore : undefined;
  const page = { limit: LIMITS.sessionPage, ...(endBefore === undefined ? {} : { endBefore }) };
  const open = await fleet.open();
  const { items, missing } = await open.onMachines(async (connection, id) =>
    id === machineId ? [] : [await listsOf(connection, id, page)],
  );
  return {
    machineId,
    machines: [...open.machines()].map(shownMachine),
    ...pageOf(items),
    requests: boundedRequests(items),
    missing: othersMissing(missing, machineId),
  };
}

async function listsOf(
  connection: ShownMachine,
  machineId: string,
  page: { limit: number; endBefore?: number },
): Promise<MachineLists> {
  const [stored, opened, requests] = await Promise.all([
    connection.listAvailableSessions(page),
    connection.listOpenedSessions(),
    connection.listRequests(),
  ]);
  const activities = new Map(opened.map(({ sessionId, activity = "idle" }) => [sessionId, activity]));
  for (const { sessionId } of requests) activities.set(sessionId, "waiting-you");
  return {
    ...{ machineId, activities, sessions: stored.sessions, nextCursor: stored.nextCursor },
    requests: requests.map((request) => ({ ...request, machineId })),
  };
}

/** Ends at the newest time behind which the list of a machine has more: behind it the common list has gaps. */
function pageOf(lists: readonly MachineLists[]): Pick<ConsoleFleet, "sessions" | "nextCursor"> {
  const all = lists
    .flatMap((list) => list.sessions.map((session) => shownSession(session, list)))
    .sort((one, other) => other.updatedAt - one.updatedAt);
  const cursors = lists.flatMap(({ nextCursor }) => (nextCursor === undefined ? [] : [nextCursor]));
  const last = all[LIMITS.sessionPage - 1];
  if (cursors.length === 0 && (last === undefined || all.length === LIMITS.sessionPage)) return { sessions: all };
  const nextCursor = Math.max(last?.updatedAt ?? 0, ...cursors);
  // Cursors are finer than the times of sessions, which are whole milliseconds.
  return { sessions: all.filter(({ updatedAt }) => updatedAt >= Math.floor(nextCursor)), nextCursor };
}

function shownSession(session: ShownSession, { machineId, activities }: MachineLists): ConsoleSession {
  const { sessionId, title, cwd, updatedAt, archivedAt } = session;
  const activity = activities.get(sessionId);
  return {
    ...{ sessionId, machineId, updatedAt, activity: activity ?? "idle", isOpen: activity !== undefined },
    ...(title === undefined ? {} : { title }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(archivedAt === undefined ? {} : { archivedAt }),
  };
}

/** The oldest requests, as many as one answer holds: those behind them follow when these have their outcomes. */
function boundedRequests(lists: readonly MachineLists[]): ConsoleRequest[] {
  const all = lists.flatMap(({ requests }) => requests).sort((one, other) => one.createdAt - other.createdAt);
  let chars = 0;
  const end = all.findIndex((request) => {
    chars += JSON.stringify(request).length;
    return chars > SERVING_LIMITS.answerBytes;
  });
  return end === -1 ? all : all.slice(0, Math.max(1, end));
}

/** Of a machine's entry in the registry only this is for a page. */
function shownMachine(machine: ConsoleMachine): ConsoleMachine {
  const { machineId, state, labels, agents, working, capacity, version, silentMs } = machine;
  const silence = silentMs === undefined ? {} : { silentMs };
  return { machineId, state, labels, agents, working, capacity, version, ...silence };
}

/** The page has a connection to this machine, whatever the fleet says of it. */
function othersMissing(missing: ShownAnswer<unknown>["missing"], machineId: string): ConsoleMissing[] {
  return missing
    .filter((one) => one.machineId !== machineId)
    .map(({ machineId, error }) => ({
      machineId,
      // What is no `DaemonError` is a bug, whose text may hold anything.
      ...(DaemonError.is(error)
        ? { code: error.code, text: error.message }
        : { code: "INTERNAL", text: "The machine was not asked." }),
    }));
}

/** Where the words stand, by session, of all machines but this one. */
async function search(fleet: FleetForConsole, body: Readonly<Record<string, unknown>>): Promise<object> {
  const query = textOf(body, "query");
  if (query === undefined) throw new InvalidOptionError("query", "a text", body.query);
  const open = await fleet.open();
  const { items, missing } = await open.searchSessions({ query, kind: "all", limitSessions: LIMITS.sessionPage });
  const found = items.filter(({ machineId }) => machineId !== fleet.machineId);
  return {
    found: found.map(({ sessionId, hits }) => ({ sessionId, snippet: hits[0]?.snippets[0] ?? "" })),
    missing: othersMissing(missing, fleet.machineId),
  };
}

/** Makes a session on a machine that meets the needs. */
async function place(fleet: FleetForConsole, body: Readonly<Record<string, unknown>>): Promise<object> {
  const cwd = textOf(body, "cwd");
  const agent = textOf(body, "agent");
  const labels = isRecord(body.labels) ? textsOf(body.labels) : {};
  const open = await fleet.open();
  const session = await open.createSession({
    ...(cwd === undefined ? {} : { cwd }),
    needs: { labels, ...(agent === undefined ? {} : { agent }) },
  });
  const machineId = await open.machineOf(session.sessionId);
  // The page follows it; nobody here reads its events.
  await session.detach();
  return { sessionId: session.sessionId, machineId };
}

function textOf(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = body[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function textsOf(record: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
