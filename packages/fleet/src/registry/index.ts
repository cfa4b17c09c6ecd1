export { BucketWatch } from "./bucket-watch.js";
export * from "./buckets.js";
export * from "./fleet-machine.js";
export * from "./machine-directory.js";
export * from "./machine-lease.js";
export * from "./session-directory.js";
export { isWrongRevision } from "./wrong-revision.js";
