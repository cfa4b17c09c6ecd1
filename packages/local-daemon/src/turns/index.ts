export { type Drained, drainTurns } from "./drain.js";
export { TurnQueue } from "./turn-queue.js";
