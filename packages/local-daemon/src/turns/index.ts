export type { CarriedTurn } from "./carried-turn.js";
export { type Drained, drainTurns } from "./drain.js";
export { type LargePrompt, readPrompt } from "./prompts.js";
export { QueueRoom } from "./queue-room.js";
export { StoredRoom } from "./stored-room.js";
export type { ObservedTurn, TurnObserver, TurnPlace } from "./turn-observer.js";
export { TurnQueue } from "./turn-queue.js";
export type { TurnSession } from "./turn-queue-options.js";
