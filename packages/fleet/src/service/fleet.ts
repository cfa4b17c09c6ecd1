import type { DaemonConnection, DaemonSession, DaemonSessionOptions, ResumeSessionOptions } from "@daemon-sdk/client";
import {
  DaemonError,
  isRecord,
  newId,
  type SearchSessionsParams,
  SessionNotFoundError,
  type Transport,
} from "@daemon-sdk/protocol";
import type { NatsConnection } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import type { LinkRouter } from "../link/index.js";
import { type MoveSessionOptions, SessionMover } from "../move/index.js";
import { checkName, type Subjects } from "../names/index.js";
import { closeNats } from "../nats-base/index.js";
import type { FleetMachine, MachineDirectory, SessionDirectory, StreamPlace } from "../registry/index.js";
import { type FleetReplica, ReplicaReader } from "../replica-reader/index.js";
import { askMachines, type FleetResult } from "./ask-machines.js";
import type { FleetRequest, FleetSearchResult, FleetSession } from "./fleet-results.js";
import { type MachineLinks, machineGone } from "./machine-links.js";
import { Placement, type SessionNeeds } from "./placement.js";

/** Options of {@link Fleet.createSession}. `agent` is named in `needs`. */
export interface FleetSessionOptions extends Omit<DaemonSessionOptions, "agent"> {
  /** What the machine must have. Default: every machine will do. */
  needs?: SessionNeeds;
}

/** The machines of a fleet, as they are when a loop over them begins. */
export interface FleetMachines extends Iterable<FleetMachine> {
  /** All machines, now and after each change, until the fleet is closed. */
  changes(): AsyncIterableIterator<readonly FleetMachine[]>;
}

/** What a fleet is made of. */
export interface FleetParts {
  readonly nats: NatsConnection;
  readonly router: LinkRouter;
  readonly subjects: Subjects;
  readonly machines: MachineDirectory;
  readonly sessions: SessionDirectory;
  readonly links: MachineLinks;
  readonly streams: StreamPlace;
  /** Where this service gets answers. */
  readonly inbox: string;
}

/**
 * Many machines behind one address. Made by `connectFleet`.
 *
 * A session runs on one machine, on whose disk it is kept. Its handle is that of a connection to this machine: what it promises is what
 * `DaemonSession` promises.
 */
export class Fleet implements AsyncDisposable {
  readonly #parts: FleetParts;
  readonly #placement = new Placement();
  readonly #mover: SessionMover;

  /** For `connectFleet` only. */
  constructor(parts: FleetParts) {
    this.#parts = parts;
    const { sessions, links } = parts;
    this.#mover = new SessionMover({
      sessions,
      dial: (machineId) => links.dialForMoves(machineId),
      connection: (machineId) => links.connection(machineId),
      find: (sessionId) => this.#find(sessionId),
    });
  }

  /** The machines that are known, those that are lost included. */
  machines(): FleetMachines {
    const { machines } = this.#parts;
    return {
      [Symbol.iterator]: () => machines.list()[Symbol.iterator](),
      async *changes() {
        let version: number;
        do {
          version = machines.version;
          yield machines.list();
        } while (await machines.changedSince(version));
      },
    };
  }

  /**
   * The connection to a machine, shared by all callers: closing it closes it for all, and the next call makes a new one. After a restart
   * of the machine's daemon it is restored, as every connection is. Rejects with MACHINE_GONE for a machine that is not online.
   */
  connection(machineId: string): Promise<DaemonConnection> {
    return this.#parts.links.connection(machineId);
  }

  /**
   * Makes a session on a machine that meets the needs: the less loaded of two at random. A machine that cannot be reached is passed over.
   * With a `sessionId` the call may be repeated: a session of that id is made once, and opened where it is afterwards.
   *
   * Rejects with NO_MACHINE when none meets the needs, with MACHINE_GONE when the machine of that `sessionId` is not online, with
   * CONNECTION_FAILED when the registry cannot be written: then nothing was made.
   */
  async createSession({ needs = {}, ...options }: FleetSessionOptions = {}): Promise<DaemonSession> {
    const { sessions } = this.#parts;
    const sessionId = options.sessionId ?? newId();
    const own = { ...options, sessionId, ...(needs.agent === undefined ? {} : { agent: needs.agent }) };
    const known = options.sessionId === undefined ? undefined : await this.#heldMachineOf(sessionId);
    if (known !== undefined) return (await this.connection(known)).createSession(own);
    const { machineId, connection } = await this.#place(needs);
    const winner = await sessions.claim(sessionId, machineId);
    if (winner !== machineId) return (await this.connection(winner)).createSession(own);
    try {
      return await connection.createSession(own);
    } catch (error) {
      // After a lost connection the session may exist.
      if (DaemonError.is(error) && !error.retryable) await sessions.drop(sessionId);
      throw error;
    }
  }

  /**
   * Attaches to a session, wherever it runs: also to one that no service made. Rejects with `SessionNotFoundError` when no machine that is
   * online has it, and with MACHINE_GONE when the machine that had it is not online.
   */
  resumeSession(sessionId: string, options: ResumeSessionOptions = {}): Promise<DaemonSession> {
    return this.onMachineOf(sessionId, (connection) => connection.resumeSession(sessionId, options));
  }

  /**
   * Makes a call for a session on the machine that has it: where the registry says, and where the session is found when that is wrong. Such
   * a call is repeated once, after SESSION_NOT_FOUND. Rejects as {@link Fleet.resumeSession}, and as `call`.
   */
  async onMachineOf<Result>(
    sessionId: string,
    call: (connection: DaemonConnection, machineId: string) => Promise<Result>,
  ): Promise<Result> {
    const { sessions, machines } = this.#parts;
    const place = await this.#mover.settle(sessionId);
    const hinted = place?.machineId;
    let isGone = false;
    if (place !== undefined && hinted !== undefined && machines.get(hinted)?.state === "online") {
      try {
        const result = await call(await this.connection(hinted), hinted);
        void sessions.used(place);
        return result;
      } catch (error) {
        isGone = DaemonError.is(error, "SESSION_NOT_FOUND");
        if (!isGone && !DaemonError.is(error, "SESSION_MOVED")) throw error;
      }
    }
    const found = await this.#find(sessionId);
    if (found !== undefined) {
      await sessions.note(sessionId, found);
      return call(await this.connection(found), found);
    }
    if (hinted !== undefined && machines.get(hinted)?.state !== "online") throw machineGone(hinted);
    if (place !== undefined && isGone) await sessions.gone(place);
    throw new SessionNotFoundError(sessionId);
  }

  /** The machine that has a session. Rejects as {@link Fleet.resumeSession}. */
  machineOf(sessionId: string): Promise<string> {
    return this.onMachineOf(sessionId, async (connection, machineId) => {
      await connection.getSessionMessages(sessionId, { limit: 1 });
      return machineId;
    });
  }

  /**
   * Opens a link to a machine, for a `transport` of `connectDaemon`. Rejects with MACHINE_GONE for one that is not online, with
   * CONNECTION_FAILED when it does not answer, with AUTH_REJECTED when NATS refuses the credentials, with the reason of `signal`.
   */
  dial(machineId: string, signal: AbortSignal): Promise<Transport> {
    return this.#parts.links.dial(machineId, signal);
  }

  /**
   * Moves a session to another machine of the fleet. The running turn ends first, and no other is begun; then the session is frozen, copied,
   * and served on the other machine, where its queued messages run. What clients know stays valid there: ids, receipts, and positions, so
   * that a client continues after the last entry that it got. Attached clients of the former machine get a `SessionMovedError`; resume the
   * session by the fleet. While it is frozen its messages are refused with SESSION_MOVING, which may be repeated.
   *
   * Whoever dies meanwhile, the session is on exactly one machine, and a repeated call goes on or begins again. After a death it may stay
   * frozen until then; a call with the machine where it is gives the move up. When the call rejects before the decision, the session goes
   * on where it was, unless that machine is away.
   *
   * Variables that the session was made with are lost, as after a restart of a daemon. The former machine keeps the files of the agent.
   *
   * Rejects with `SessionNotFoundError`; with MACHINE_GONE when one of the two machines is not online; with INVALID_OPTION when the other
   * machine does not have the session's agent, and as `createSession` when it does not have the directory; with NOT_ALLOWED for a service
   * that acts for a key; with CONNECTION_FAILED when the registry cannot be written; with what `files` rejects with.
   */
  moveSession(sessionId: string, toMachineId: string, options: MoveSessionOptions = {}): Promise<void> {
    return this.#mover.move(sessionId, toMachineId, options);
  }

  /**
   * The replica of a machine's sessions, to read them while the machine is lost: one that was allowed to make one (`replica` of `joinFleet`).
   * With credentials of `enrol` this needs `replicas`. Nothing is read yet.
   *
   * Throws an `InvalidOptionError` for what is no name of a machine.
   */
  replica(machineId: string): FleetReplica {
    const { nats, subjects, streams, inbox } = this.#parts;
    checkName("machineId", machineId);
    return new ReplicaReader({ nats, subjects, streams, machineId, inbox: `${inbox}.replica` });
  }

  /**
   * Sessions of all machines, newest first. Machines that are lost or do not answer are in `missing`: their sessions exist, and are not
   * in the list. Where `hasReplica` is set, {@link Fleet.replica} has them.
   *
   * @param options.limit most sessions of each machine, up to 100; default 50
   * @param options.endBefore Unix milliseconds: only sessions that were updated before
   */
  async listSessions(options: { limit?: number; endBefore?: number } = {}): Promise<FleetResult<FleetSession>> {
    const { items, missing } = await this.#list(
      async (connection) => (await connection.listAvailableSessions(options)).sessions,
    );
    return { items: [...items].sort((one, other) => other.updatedAt - one.updatedAt), missing };
  }

  /**
   * What the agents of all machines wait for, oldest first: permissions and questions. Answer one by
   * `(await fleet.connection(machineId)).answerRequest(…)`.
   */
  async listRequests(): Promise<FleetResult<FleetRequest>> {
    const { items, missing } = await this.#list(async (connection) => connection.listRequests());
    return { items: [...items].sort((one, other) => one.createdAt - other.createdAt), missing };
  }

  /** Sessions of all machines whose conversations match, newest first. */
  async searchSessions(search: SearchSessionsParams): Promise<FleetSearchResult> {
    let isIncomplete = false;
    const { items, missing } = await this.#list(async (connection) => {
      const found = await connection.searchSessions(search);
      isIncomplete ||= found.isIncomplete === true;
      return found.sessions;
    });
    const sorted = [...items].sort((one, other) => (other.updatedAt ?? 0) - (one.updatedAt ?? 0));
    return { items: sorted, missing, isIncomplete };
  }

  /**
   * Makes a call on every machine, on some at a time, each for a bounded time. A machine that is lost, fails or is late is in `missing`.
   *
   * @param call resolves with the items of its machine
   */
  onMachines<Item>(
    call: (connection: DaemonConnection, machineId: string) => Promise<readonly Item[]>,
  ): Promise<FleetResult<Item>> {
    return askMachines(this.#parts.machines.list(), async ({ machineId }) =>
      call(await this.connection(machineId), machineId),
    );
  }

  /** Closes all connections. Sessions continue on their machines. */
  async close(): Promise<void> {
    const { links, machines, router, nats } = this.#parts;
    machines.close();
    await links.close();
    router.close();
    await closeNats(nats, router.isAway);
  }

  /** Closes the fleet at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Asks every machine, and adds its id to each of its items. */
  #list<Item extends object>(
    ask: (connection: DaemonConnection) => Promise<readonly Item[]>,
  ): Promise<FleetResult<Item & { readonly machineId: string }>> {
    return this.onMachines(async (connection, machineId) => {
      const items = await ask(connection);
      return items.map((item) => ({ ...item, machineId }));
    });
  }

  /** The machine of a session's entry, which nobody removes from now on for as long as it takes to make the session. */
  async #heldMachineOf(sessionId: string): Promise<string | undefined> {
    for (;;) {
      const place = await this.#mover.settle(sessionId);
      if (place === undefined || (await this.#parts.sessions.hold(place))) return place?.machineId;
    }
  }

  async #place(needs: SessionNeeds): Promise<{ machineId: string; connection: DaemonConnection }> {
    const tried = new Set<string>();
    for (;;) {
      const { machineId } = this.#placement.choose(this.#parts.machines.list(), needs, tried);
      try {
        return { machineId, connection: await this.connection(machineId) };
      } catch (error) {
        if (!DaemonError.is(error) || !error.retryable) throw error;
        tried.add(machineId);
      }
    }
  }

  /** The machine that says it has the session. */
  async #find(sessionId: string): Promise<string | undefined> {
    const { nats, subjects } = this.#parts;
    try {
      const reply = await nats.request(subjects.find, sessionId, { timeout: FLEET_LIMITS.findTimeoutMs });
      const answer: unknown = reply.json();
      return isRecord(answer) && typeof answer.machineId === "string" ? answer.machineId : undefined;
    } catch {
      return undefined;
    }
  }
}
