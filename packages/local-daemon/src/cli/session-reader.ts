import { join } from "node:path";
import {
  type AvailableSession,
  DaemonError,
  type InboxRequest,
  METHODS,
  type SessionMessage,
  SessionNotFoundError,
  sessionId,
} from "@daemon-sdk/protocol";
import { STATE_FILES } from "../rendezvous/index.js";
import type { PendingRequestRow, SessionRow, StoreReader } from "../storage/index.js";
import { callRunningDaemon, type DaemonCall } from "./daemon-call.js";
import type { Terminal } from "./terminal.js";

/** A session as lists show it; `state` is `closed` for one that is not open. Times in Unix milliseconds. */
export interface ListedSession extends Omit<AvailableSession, "archivedAt"> {
  readonly archivedAt?: number;
  readonly state: string;
  readonly agent?: string;
}

/** What can be read of sessions: of a daemon that runs, or of the store that the last one left. */
export interface SessionReader extends AsyncDisposable {
  /** Newest first. */
  sessions(): AsyncIterable<ListedSession>;
  session(id: string): Promise<ListedSession>;
  /** The newest messages, oldest first. */
  messages(id: string, limit: number): Promise<readonly SessionMessage[]>;
  requests(id?: string): Promise<readonly InboxRequest[]>;
}

/**
 * Reads from the daemon, or where none runs from its store, and says so. Rejects with `DAEMON_NOT_RUNNING` when there is no store
 * either.
 */
export async function openReader({
  stateDir,
  terminal,
}: {
  readonly stateDir: string;
  readonly terminal: Pick<Terminal, "note">;
}): Promise<SessionReader> {
  try {
    return await runningReader(stateDir);
  } catch (error) {
    if (!DaemonError.is(error, "DAEMON_NOT_RUNNING")) throw error;
    // Loaded here: commands that speak to a daemon do not load the native library.
    const { openStoreReader } = await import("../storage/index.js");
    const path = join(stateDir, STATE_FILES.database);
    const store = openStoreReader(path);
    if (store === undefined) throw error;
    terminal.note(`No daemon runs. This is what the last one stored in ${path}.`);
    return new StoredReader(store);
  }
}

/** Reads from the running daemon. Rejects with `DAEMON_NOT_RUNNING` when none runs. */
export async function runningReader(stateDir: string): Promise<DaemonReader> {
  return new DaemonReader(await callRunningDaemon(stateDir));
}

/** Reads from a daemon. */
export class DaemonReader implements SessionReader {
  readonly call: DaemonCall;

  constructor(call: DaemonCall) {
    this.call = call;
  }

  async *sessions(): AsyncIterable<ListedSession> {
    const states = await this.#openStates();
    for (let endBefore: number | undefined; ; ) {
      const query = endBefore === undefined ? {} : { endBefore };
      const page = await this.call.engine.request(METHODS.listAvailableSessions, query);
      for (const session of page.sessions)
        yield { ...inMilliseconds(session), state: states.get(session.sessionId) ?? "closed" };
      if (!page.hasMore || page.nextCursor === undefined) return;
      endBefore = page.nextCursor;
    }
  }

  async session(id: string): Promise<ListedSession> {
    for await (const session of this.sessions()) if (session.sessionId === id) return session;
    throw new SessionNotFoundError(id);
  }

  /** What a session does at this moment; `closed` for one that is not open. */
  async stateOf(id: string): Promise<string> {
    return (await this.#openStates()).get(id) ?? "closed";
  }

  async messages(id: string, limit: number): Promise<readonly SessionMessage[]> {
    const newestFirst: (readonly SessionMessage[])[] = [];
    let left = limit;
    for (let cursor: string | undefined; left > 0; ) {
      const page = await this.call.engine.request(METHODS.getSessionMessages, {
        sessionId: id,
        limit: Math.min(left, PAGE),
        ...(cursor === undefined ? {} : { cursor }),
      });
      newestFirst.push(page.messages);
      left -= page.messages.length;
      if (!page.hasMore || page.nextCursor === undefined) break;
      cursor = page.nextCursor;
    }
    return newestFirst.reverse().flat();
  }

  async requests(id?: string): Promise<readonly InboxRequest[]> {
    const { requests } = await this.call.engine.request(
      METHODS.listRequests,
      id === undefined ? {} : { sessionId: id },
    );
    return requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.call[Symbol.dispose]();
  }

  async #openStates(): Promise<ReadonlyMap<string, string>> {
    const { sessions } = await this.call.engine.request(METHODS.listOpenedSessions, {});
    return new Map(sessions.map((open) => [open.sessionId, open.activity ?? open.workingState]));
  }
}

/** Reads from a store that no daemon needs to have open. */
export class StoredReader implements SessionReader {
  readonly #store: StoreReader;

  constructor(store: StoreReader) {
    this.#store = store;
  }

  async *sessions(): AsyncIterable<ListedSession> {
    for (let updatedBefore: number | undefined; ; ) {
      const rows = await this.#store.listSessions({
        limit: PAGE,
        ...(updatedBefore === undefined ? {} : { updatedBefore }),
      });
      for (const row of rows) yield listed(row, row.messagesCount);
      updatedBefore = rows.at(-1)?.updatedAt;
      if (updatedBefore === undefined) return;
    }
  }

  async session(id: string): Promise<ListedSession> {
    const row = await this.#store.readSession(sessionId(id));
    if (row === undefined) throw new SessionNotFoundError(id);
    return listed(row, await this.#store.countMessages(row.id));
  }

  async messages(id: string, limit: number): Promise<readonly SessionMessage[]> {
    const { messages } = await this.#store.readMessages(sessionId(id), { limit });
    return messages;
  }

  async requests(id?: string): Promise<readonly InboxRequest[]> {
    const rows = await this.#store.pendingRequests(id === undefined ? undefined : sessionId(id));
    return rows.map(requestOf);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close();
  }
}

/** Messages or sessions of one call. */
const PAGE = 100;

/** The wire has seconds, with decimals that are not exact, and a text. */
function inMilliseconds({ archivedAt, ...session }: AvailableSession): Omit<ListedSession, "state"> {
  return {
    ...session,
    updatedAt: Math.round(session.updatedAt * 1_000),
    ...(archivedAt === undefined ? {} : { archivedAt: Date.parse(archivedAt) }),
  };
}

function listed(row: SessionRow, messagesCount: number): ListedSession {
  return {
    sessionId: row.id,
    updatedAt: row.updatedAt,
    ...(row.title === undefined ? {} : { title: row.title }),
    cwd: row.cwd,
    agent: row.agent,
    messagesCount,
    tags: [...row.tags],
    ...(row.archivedAt === undefined ? {} : { archivedAt: row.archivedAt }),
    state: "closed",
  };
}

function requestOf({
  id: requestId,
  sessionId: of,
  method,
  params,
  createdAt,
  deadlineAt,
}: PendingRequestRow): InboxRequest {
  const deadline = deadlineAt === undefined ? {} : { deadlineAt };
  return { requestId, sessionId: of, createdAt, ...deadline, method, params: JSON.parse(params) } as InboxRequest;
}
