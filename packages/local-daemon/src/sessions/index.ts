export { recover } from "./recovery.js";
export { Session } from "./session.js";
export type { CopiedMessages } from "./session-copies.js";
export { type Initialized, SessionHost } from "./session-host.js";
export { fitting, type Snapshot, type SnapshotOptions, stateOf, takeSnapshot } from "./snapshot.js";
export type { TurnStore } from "./turn-store.js";
