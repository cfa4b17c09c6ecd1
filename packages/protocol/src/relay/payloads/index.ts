export type * from "./control.js";
export type * from "./diagnostics.js";
export type * from "./messages.js";
export type * from "./queries.js";
export { PAYLOADS, type RelayPayloads } from "./relay-payloads.js";
export type * from "./workers.js";
