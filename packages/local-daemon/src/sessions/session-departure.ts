import { abortable, encodeNotification, FACTORY_PROTOCOL_VERSION, type SessionId } from "@daemon-sdk/protocol";
import type { AgentSlot } from "../agents/index.js";
import type { SessionLog } from "../journal/index.js";
import { sessionMoving } from "../refusals.js";
import type { SessionLeave, SessionRow } from "../storage/index.js";
import { drainTurns, type TurnQueue } from "../turns/index.js";

/** What is frozen of a session. */
export interface DepartingSession {
  readonly id: SessionId;
  readonly row: SessionRow;
  readonly turns: TurnQueue;
  readonly agent: AgentSlot;
  readonly log: SessionLog;
}

/** The way of one session to another machine: frozen by {@link leave}, until {@link stay} or until the machine has it. */
export class SessionDeparture {
  readonly #session: DepartingSession;
  readonly #replace: (row: SessionRow) => void;

  /** @param replace changes the session's row in memory, once it is stored */
  constructor(session: DepartingSession, replace: (row: SessionRow) => void) {
    this.#session = session;
    this.#replace = replace;
    if (session.row.leaving !== undefined) this.#freeze(session.row.leaving);
  }

  /**
   * Freezes the session: no turn is begun, the running one ends, the agent is stopped, and then nothing of the session changes, across
   * restarts. Queued messages stay queued. For a session that is frozen already the call only names the present move.
   *
   * @param drainMs how long the running turn may take before it is interrupted
   * @param signal ends the wait for the running turn: the session goes on, and the call rejects
   */
  async leave(leaving: SessionLeave, drainMs: number, signal: AbortSignal): Promise<void> {
    const { turns, agent, log, row } = this.#session;
    try {
      if (row.leaving === undefined) {
        turns.pause();
        await abortable(drainTurns([turns], drainMs, undefined, "The session moves to another machine."), signal);
        await agent.stop();
        await turns.freeze(leaving.to);
        await log.settled();
      }
      await this.#commit(leaving);
    } catch (error) {
      if (this.#session.row.leaving === undefined) turns.unpause();
      throw error;
    }
    this.#freeze(leaving);
  }

  /** Ends {@link leave}: the session goes on here. */
  async stay(): Promise<void> {
    if (this.#session.row.leaving === undefined) return;
    await this.#commit(undefined);
    this.#session.turns.unpause();
  }

  /** Notifies the attached clients that another machine has the session. No entry: the journal continues there without it. */
  notifyMoved(machineId: string, now: number): void {
    const { id, log } = this.#session;
    const notification = { type: "session_closed", reason: "moved", machineId, timestamp: now };
    const params = { sessionId: id, notification };
    const frame = encodeNotification("daemon.session_notification", params, FACTORY_PROTOCOL_VERSION);
    for (const { sink } of log.cursors.keys()) sink.send(frame);
  }

  async #commit(leaving: SessionLeave | undefined): Promise<void> {
    const row = { ...this.#session.row, leaving };
    await this.#session.log.commit([{ kind: "session", row }]);
    this.#replace(row);
  }

  #freeze({ to }: SessionLeave): void {
    const { turns } = this.#session;
    turns.pause();
    void turns.freeze(to);
  }
}

/** Throws `SESSION_MOVING` for a session that is frozen. */
export function expectUnfrozen({ id, leaving }: SessionRow): void {
  if (leaving !== undefined) throw sessionMoving(id, leaving.to);
}
