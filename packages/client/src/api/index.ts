export * from "./daemon-connection.js";
export * from "./daemon-session.js";
export * from "./keep-connection.js";
export * from "./session-options.js";
