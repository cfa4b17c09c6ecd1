export { deliverable } from "./deliverable.js";
export { recover } from "./recovery.js";
export { Session } from "./session.js";
export type { CopiedMessages } from "./session-copies.js";
export { type Initialized, SessionHost } from "./session-host.js";
export { type Snapshot, type SnapshotOptions, stateOf, takeSnapshot } from "./snapshot.js";
export type { TurnStore } from "./turn-store.js";
