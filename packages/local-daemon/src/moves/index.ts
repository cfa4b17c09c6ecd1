export type {
  ArrivalChanges,
  ArrivalState,
  LeaveOrder,
  LeavingSession,
  MoveOrder,
  MoveState,
  SessionMoves,
  SessionPiece,
} from "./session-moves.js";
export { StoreMoves } from "./store-moves.js";
