export { Channels } from "./channels.js";
export { shadowCopies } from "./shadow-copies.js";
export { ShadowTable } from "./shadow-table.js";
export { Topics, tooManyTopics } from "./topics.js";
