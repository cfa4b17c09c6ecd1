// What the Node entry and the browser entry have in common: everything but `connectDaemon` itself.
export * from "./public-protocol.js";
export * from "./public-sessions.js";
export * from "./resolve-url.js";
export * from "./stream/events.js";
