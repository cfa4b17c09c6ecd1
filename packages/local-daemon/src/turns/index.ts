export { type Drained, drainTurns } from "./drain.js";
export { QueueRoom } from "./queue-room.js";
export { TurnQueue } from "./turn-queue.js";
