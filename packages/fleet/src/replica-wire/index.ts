export * from "./read-replica.js";
export * from "./replica-head.js";
export { SessionBook } from "./session-book.js";
export type { ReplicaEnd } from "./session-copy.js";
