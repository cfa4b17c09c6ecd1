import type { SessionId } from "@daemon-sdk/protocol";
import type { SessionRow } from "./store.js";

/** A move that takes a session away from this machine. */
export interface SessionLeave {
  readonly moveId: string;
  /** The machine that it goes to. */
  readonly to: string;
  /** Epoch of the positions that clients get while the session is frozen. The other machine continues under a larger one. */
  readonly epoch: number;
}

/** How much of a session that comes from another machine is stored. */
export interface SessionArrival {
  readonly moveId: string;
  /** Where the next piece begins; undefined once everything is stored. */
  readonly cursor?: string | undefined;
  /** Wall clock of the last piece. */
  readonly at: number;
}

/** A session that no read finds, because another machine has it. */
export type MovingSession =
  /** It is being copied to this machine. */
  | { readonly state: "arriving"; readonly row: SessionRow; readonly arrival: SessionArrival }
  /** It was moved away. */
  | { readonly state: "moved"; readonly mark: MovedMark };

/** What a machine keeps of a session that it gave to another machine. */
export interface MovedMark {
  readonly sessionId: SessionId;
  /** As of `SessionRow.owner`. */
  readonly owner: string | undefined;
  readonly moveId: string;
  /** The machine that has it. */
  readonly to: string;
  readonly movedAt: number;
}

/** One change of a move. */
export type MoveChange =
  /** Makes, or changes, a session that comes from another machine. Only `Store.readMoving` finds it until it is written as `session`. */
  | { readonly kind: "arriving"; readonly row: SessionRow; readonly arrival: SessionArrival }
  /** Replaces a session by the mark that it was moved away. Its rows are dropped as those of a draft are; the mark stays until `forgetMoved`. */
  | { readonly kind: "moved"; readonly mark: MovedMark }
  /** Drops the marks of sessions that were moved away before that time (ms). */
  | { readonly kind: "forgetMoved"; readonly before: number }
  /** The next start's epoch is larger than this one, too. */
  | { readonly kind: "raiseEpoch"; readonly epoch: number };
