export type { MoveEnd, MoveFiles, MoveFilesHook, MoveSessionOptions } from "./move-options.js";
export type { MoveStep } from "./move-steps.js";
export { serveMoves } from "./move-wire.js";
export { SessionMover } from "./session-mover.js";
