export * from "./connector.js";
export * from "./credential.js";
export * from "./daemon-identity.js";
export * from "./heartbeat.js";
export * from "./open-link.js";
export * from "./resolve-url.js";
