/** Names one move of one session. A repeated call of the same move changes nothing more. */
export interface MoveOrder {
  readonly sessionId: string;
  readonly moveId: string;
}

/** What {@link FleetMoves.leave} is asked for. */
export interface LeaveOrder extends MoveOrder {
  /** The machine that the session goes to. */
  readonly to: string;
  /** How long the running turn may take before it is interrupted, in ms. Default: until it ends. */
  readonly drainMs?: number | undefined;
}

/** A session that is frozen for its move. */
export interface LeavingSession {
  /** Name of its agent. */
  readonly agent: string;
  readonly cwd: string;
  /** Id of the configured key that owns it; undefined for the person. */
  readonly owner?: string | undefined;
  /** What it has stored; undefined where nobody counts. */
  readonly bytes?: number | undefined;
  /** The agent's own id of the conversation. */
  readonly agentSessionId?: string | undefined;
}

/** A part of a frozen session, bounded in bytes. */
export interface SessionPiece {
  /** The session's row, of the daemon's own kind; in the first piece. */
  readonly row?: object | undefined;
  /** Lines as of an exported session: messages, turns, requests, entries. */
  readonly lines: readonly string[];
  /** Where the next piece begins; undefined in the last one. */
  readonly next?: string | undefined;
}

/** What {@link FleetMoves.stage} is asked for. */
export interface StageOrder extends MoveOrder {
  /** Name of the session's agent. */
  readonly agent: string;
  readonly owner?: string | undefined;
  readonly bytes?: number | undefined;
  /** The other machine has the session by decision, and what had arrived was lost: no bound refuses it any more. */
  readonly isDecided?: boolean | undefined;
}

/** What is other on the machine that a session goes to. */
export interface ArrivalChanges {
  /** The session's directory there. */
  readonly cwd?: string | undefined;
  /** The agent's own id of the conversation there. */
  readonly agentSessionId?: string | undefined;
}

/** How much of a session has arrived. */
export interface ArrivalState {
  /** Whether everything is stored. */
  readonly isWhole: boolean;
  /** Where the next piece begins; undefined for the first one, and when everything is stored. */
  readonly cursor?: string | undefined;
}

/** What a machine has of a session. */
export type MoveState =
  | { readonly state: "absent" }
  /** It serves the session. `arrivedBy` is the move that brought it. */
  | { readonly state: "served"; readonly arrivedBy?: string | undefined }
  /** It has the session, frozen. */
  | { readonly state: "leaving"; readonly moveId: string; readonly to: string }
  | { readonly state: "arriving"; readonly moveId: string; readonly isWhole: boolean }
  /** It gave the session to the machine `to`. */
  | { readonly state: "moved"; readonly moveId: string; readonly to: string };

/**
 * A daemon's part in moves of sessions between machines of a fleet. A program that has the right to move sessions calls the daemons of both
 * machines; between {@link leave} and {@link forget} it decides, once, which of them has the session. Everything is stored, so that any of
 * the three may die at any moment, and every call may be repeated.
 */
export interface FleetMoves {
  /** What this machine has of a session. */
  state(sessionId: string): Promise<MoveState>;
  /**
   * Freezes a session: the running turn ends, queued messages stay queued, and nothing of the session changes until {@link stay} or
   * {@link forget}, across restarts. Rejects with `SessionNotFoundError`, or a `SessionMovedError`.
   *
   * @param signal ends the wait for the running turn
   */
  leave(order: LeaveOrder, signal: AbortSignal): Promise<LeavingSession>;
  /** Reads a piece of a frozen session; without a cursor the first one. Rejects with `SESSION_STATE` for a session that is not frozen by this move. */
  read(order: MoveOrder, cursor: string | undefined): Promise<SessionPiece>;
  /** Ends {@link leave} without a move: the session goes on here. Has no effect on a session that is not frozen by this move. */
  stay(order: MoveOrder): Promise<void>;
  /** Gives up a frozen session, because the machine `to` has it. Rejects with `SESSION_STATE` for one that is not frozen by this move. */
  forget(order: MoveOrder & { readonly to: string }): Promise<void>;
  /**
   * Begins to take a session, or goes on: what another move left of it is dropped. Rejects with `SESSION_STATE` when this machine serves
   * the session, with `INVALID_OPTION` when it does not have its agent, and with `QUOTA_EXCEEDED` when the sessions of its owner may not
   * store as much more, or there may not be one more of them.
   */
  stage(order: StageOrder): Promise<ArrivalState>;
  /** Stores the piece that was read at `cursor`. A piece that does not follow what is stored changes nothing: go on where the answer says. */
  store(order: MoveOrder & { readonly cursor?: string | undefined }, piece: SessionPiece): Promise<ArrivalState>;
  /**
   * Makes room for the session as for a new one of its owner, and checks that the session can be served here, and stores what is other than on the machine that it comes from. Rejects with
   * `SESSION_STATE` unless everything is stored, and as `createSession` does for a directory that an agent cannot work in.
   */
  prepare(order: MoveOrder & Pick<StageOrder, "isDecided">, changes: ArrivalChanges): Promise<void>;
  /** Serves what was prepared, under a larger epoch; queued messages run. Rejects with `SESSION_STATE` unless everything is stored. */
  arrive(order: MoveOrder): Promise<void>;
  /** Drops what has arrived by this move. */
  discard(order: MoveOrder): Promise<void>;
}
