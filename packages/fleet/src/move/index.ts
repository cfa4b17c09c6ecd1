export type { MoveStep } from "./move.machine.js";
export type { MoveEnd, MoveFiles, MoveFilesHook, MoveSessionOptions } from "./move-options.js";
export { serveMoves } from "./move-wire.js";
export { SessionMover } from "./session-mover.js";
export type * from "./session-moves.js";
