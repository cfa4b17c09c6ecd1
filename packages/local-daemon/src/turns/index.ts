export { type Drained, drainTurns } from "./drain.js";
export { answeredRow } from "./open-turn.js";
export { TurnQueue } from "./turn-queue.js";
