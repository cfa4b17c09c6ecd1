export { Channels } from "./channels.js";
export { ShadowTable, shadowPayload } from "./shadow-table.js";
export { Topics } from "./topics.js";
