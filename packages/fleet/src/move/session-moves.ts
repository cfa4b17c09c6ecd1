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
  /** The agent's own id of the conversation. */
  readonly agentSessionId?: string | undefined;
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
  readonly isWhole: boolean;
  /** Where the next piece begins. */
  readonly cursor?: string | undefined;
}

/** A part of a frozen session. Its row and lines are of the daemon's own kind. */
export interface SessionPiece {
  readonly lines: readonly string[];
  readonly next?: string | undefined;
}

/** What a machine has of a session. */
export type MoveState =
  | { readonly state: "absent" }
  | { readonly state: "served"; readonly arrivedBy?: string | undefined }
  | { readonly state: "leaving" | "moved"; readonly moveId: string; readonly to: string }
  | { readonly state: "arriving"; readonly moveId: string; readonly isWhole: boolean };

/** A daemon's part in moves of sessions: `Daemon.moves` of `@daemon-sdk/local-daemon/server`, where each call is described. */
export interface FleetMoves {
  state(sessionId: string): Promise<MoveState>;
  leave(order: LeaveOrder, signal: AbortSignal): Promise<LeavingSession>;
  read(order: MoveOrder, cursor: string | undefined): Promise<SessionPiece>;
  stay(order: MoveOrder): Promise<void>;
  forget(order: MoveOrder & { readonly to: string }): Promise<void>;
  stage(order: MoveOrder & { readonly agent: string }): Promise<ArrivalState>;
  /** Takes the piece as `read` of the other daemon gave it. */
  store(order: MoveOrder & { readonly cursor?: string | undefined }, piece: SessionPiece): Promise<ArrivalState>;
  prepare(order: MoveOrder, changes: ArrivalChanges): Promise<void>;
  arrive(order: MoveOrder): Promise<void>;
  discard(order: MoveOrder): Promise<void>;
}
