import {
  type ArrivalChanges,
  type ArrivalState,
  type FleetMoves,
  InvalidOptionError,
  type LeaveOrder,
  type LeavingSession,
  type MoveOrder,
  type MoveState,
  SessionError,
  type SessionId,
  type SessionPiece,
  type StageOrder,
  sessionId,
} from "@daemon-sdk/protocol";
import { readSessionLine, writesOf } from "../backup/index.js";
import { failpoint } from "../failpoint.js";
import { MOVE_LIMITS } from "../limits/index.js";
import type { SessionHost } from "../sessions/index.js";
import type { MovingSession, SessionArrival, SessionRow, StoreWrite } from "../storage/index.js";
import { readPiece } from "./piece-reader.js";

/** Moves of the sessions of one daemon: {@link FleetMoves} on its store. */
export class StoreMoves implements FleetMoves {
  readonly #host: SessionHost;
  /** One call that stores at a time for each session: two programs may carry the same move. */
  readonly #storing = new Map<SessionId, Promise<unknown>>();

  constructor(host: SessionHost) {
    this.#host = host;
  }

  async state(id: string): Promise<MoveState> {
    const { store } = this.#host.services;
    const row = this.#host.find(id)?.row ?? (await store.readSession(sessionId(id)));
    if (row?.leaving !== undefined) return { state: "leaving", moveId: row.leaving.moveId, to: row.leaving.to };
    if (row !== undefined) return { state: "served", arrivedBy: row.arrivedBy };
    const moving = await store.readMoving(sessionId(id));
    if (moving === undefined) return { state: "absent" };
    if (moving.state === "moved") return { state: "moved", moveId: moving.mark.moveId, to: moving.mark.to };
    const { moveId } = moving.arrival;
    return { state: "arriving", moveId, isWhole: isWhole(moving.arrival) };
  }

  async leave(order: LeaveOrder, signal: AbortSignal): Promise<LeavingSession> {
    const { moveId, to, drainMs = MOVE_LIMITS.longestDrainMs } = order;
    const session = await this.#host.load(order.sessionId);
    const { epoch } = session.row.leaving ?? this.#host.services;
    failpoint("move-leaving");
    await session.departure.leave({ moveId, to, epoch }, Math.min(drainMs, MOVE_LIMITS.longestDrainMs), signal);
    failpoint("move-left");
    const { id, owner, agent, cwd, agentSessionId } = session.row;
    const bytes = this.#host.services.store.storedBytes?.ofSession?.(id);
    return { agent, cwd, agentSessionId, owner, bytes };
  }

  async read(order: MoveOrder, cursor: string | undefined): Promise<SessionPiece> {
    const row = await this.#leaving(order);
    return readPiece(this.#host.services.store, row, cursor, MOVE_LIMITS.pieceBytes);
  }

  async stay(order: MoveOrder): Promise<void> {
    const state = await this.state(order.sessionId);
    if (state.state !== "leaving" || state.moveId !== order.moveId) return;
    await (await this.#host.load(order.sessionId)).departure.stay();
  }

  async forget({ sessionId, moveId, to }: MoveOrder & { readonly to: string }): Promise<void> {
    const state = await this.state(sessionId);
    if (state.state === "absent" || (state.state === "moved" && state.moveId === moveId)) return;
    const row = await this.#leaving({ sessionId, moveId });
    const mark = { sessionId: row.id, owner: row.owner, moveId, to, movedAt: this.#host.services.now() };
    await this.#host.moving.forget(row, mark);
  }

  async stage({ sessionId: text, moveId, agent, owner, bytes = 0, isDecided }: StageOrder): Promise<ArrivalState> {
    const id = sessionId(text);
    await this.#host.agents.seek(agent);
    if (!this.#host.agents.names.includes(agent))
      throw new InvalidOptionError("agent", `an agent of the machine that the session goes to`, agent);
    const state = await this.state(id);
    if (state.state === "served" || state.state === "leaving") throw hasIt(id);
    const arriving = await this.#arriving(id, moveId);
    if (arriving !== undefined) return stateOf(arriving.arrival);
    await this.#host.moving.discard(id);
    if (isDecided !== true) await this.#host.moving.checkRoom(id, owner, bytes);
    return { isWhole: false };
  }

  store(order: MoveOrder & { readonly cursor?: string | undefined }, piece: SessionPiece): Promise<ArrivalState> {
    const id = sessionId(order.sessionId);
    const storing = (this.#storing.get(id) ?? Promise.resolve())
      .catch(() => {})
      .then(() => this.#store(id, order, piece))
      .finally(() => {
        if (this.#storing.get(id) === storing) this.#storing.delete(id);
      });
    this.#storing.set(id, storing);
    return storing;
  }

  async prepare(order: MoveOrder & Pick<StageOrder, "isDecided">, changes: ArrivalChanges): Promise<void> {
    const { row, arrival } = await this.#whole(order);
    const cwd = await this.#host.rules.workingDirectory(changes.cwd ?? row.cwd, row.owner);
    const { agentSessionId = row.agentSessionId } = changes;
    if (order.isDecided !== true) await this.#host.moving.makeRoom(row.id, row.owner);
    await this.#host.services.committer.commit([{ kind: "arriving", row: { ...row, cwd, agentSessionId }, arrival }]);
    failpoint("move-prepared");
  }

  async arrive(order: MoveOrder): Promise<void> {
    const state = await this.state(order.sessionId);
    if (state.state === "served" && state.arrivedBy === order.moveId) return;
    const { row } = await this.#whole(order);
    const { leaving, ...kept } = row;
    await this.#host.moving.arrive({ ...kept, arrivedBy: order.moveId }, leaving?.epoch ?? 0);
  }

  async discard({ sessionId: text, moveId }: MoveOrder): Promise<void> {
    const id = sessionId(text);
    if ((await this.#arriving(id, moveId)) !== undefined) await this.#host.moving.discard(id);
  }

  /** Drops what is too old: marks of sessions that were moved away, and what has arrived of sessions that do not come. Never rejects. */
  async dropOld(): Promise<void> {
    const { store, committer, now, logger } = this.#host.services;
    try {
      await committer.commit([{ kind: "forgetMoved", before: now() - MOVE_LIMITS.markMs }]);
      for (const id of await store.arrivingSessions()) {
        const moving = await store.readMoving(id);
        const isOld = moving?.state === "arriving" && moving.arrival.at < now() - MOVE_LIMITS.arrivalMs;
        if (isOld) await this.#host.moving.discard(id);
      }
    } catch (error) {
      logger.warn(
        { error: String(error) },
        "what moves of sessions left could not be dropped; the next start tries again",
      );
    }
  }

  async #store(
    id: SessionId,
    { moveId, cursor }: MoveOrder & { readonly cursor?: string | undefined },
    piece: SessionPiece,
  ): Promise<ArrivalState> {
    const arriving = await this.#arriving(id, moveId);
    const isNext = arriving === undefined ? cursor === undefined : arriving.arrival.cursor === cursor;
    // What another daemon of this kind has read.
    const row = arriving?.row ?? (piece.row as SessionRow | undefined);
    if (!isNext || row === undefined || (arriving !== undefined && isWhole(arriving.arrival)))
      return arriving === undefined ? { isWhole: false } : stateOf(arriving.arrival);
    if (row.id !== id) throw notWhole(id);
    if (arriving === undefined) await this.#refuseTaken(id);
    const writes: StoreWrite[] = [];
    for (const [at, text] of piece.lines.entries()) {
      const line = readSessionLine(text, at + 1);
      if (line.type !== "session") writes.push(...writesOf(line, id));
    }
    const at = this.#host.services.now();
    const arrival = { moveId, at, ...(piece.next === undefined ? {} : { cursor: piece.next }) };
    failpoint("move-storing");
    await this.#host.services.committer.commit([...writes, { kind: "arriving", row, arrival }]);
    failpoint("move-stored");
    return stateOf(arrival);
  }

  /** What another move has begun meanwhile must not become a part of this one. */
  async #refuseTaken(id: SessionId): Promise<void> {
    const { state } = await this.state(id);
    if (state !== "moved" && state !== "absent") throw hasIt(id);
  }

  async #whole({ sessionId: text, moveId }: MoveOrder): Promise<Extract<MovingSession, { state: "arriving" }>> {
    const id = sessionId(text);
    const arriving = await this.#arriving(id, moveId);
    if (arriving === undefined || !isWhole(arriving.arrival)) throw notWhole(id);
    return arriving;
  }

  /** The row of a session that is frozen by this move. */
  async #leaving({ sessionId, moveId }: MoveOrder): Promise<SessionRow> {
    const row = await this.#host.rowOf(sessionId);
    if (row.leaving?.moveId === moveId) return row;
    const text = `Session ${sessionId} is not frozen by the move ${moveId}. Begin the move again.`;
    throw new SessionError("SESSION_STATE", text, { sessionId });
  }

  async #arriving(id: SessionId, moveId: string): Promise<Extract<MovingSession, { state: "arriving" }> | undefined> {
    const moving = await this.#host.services.store.readMoving(id);
    return moving?.state === "arriving" && moving.arrival.moveId === moveId ? moving : undefined;
  }
}

function isWhole({ cursor }: SessionArrival): boolean {
  return cursor === undefined;
}

function stateOf(arrival: SessionArrival): ArrivalState {
  return { isWhole: isWhole(arrival), ...(arrival.cursor === undefined ? {} : { cursor: arrival.cursor }) };
}

function hasIt(id: SessionId): SessionError {
  return new SessionError("SESSION_STATE", `The machine serves session ${id}. Delete it there first.`, {
    sessionId: id,
  });
}

function notWhole(id: SessionId): SessionError {
  const text = `Session ${id} has not arrived as a whole. Begin the move again.`;
  return new SessionError("SESSION_STATE", text, { sessionId: id });
}
