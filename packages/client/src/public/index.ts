// What the Node entry and the browser entry have in common: everything but `connectDaemon` itself.
export * from "./events.js";
export * from "./links.js";
export * from "./protocol.js";
export * from "./sessions.js";
