export * from "./close-codes.js";
export * from "./join-transports.js";
export * from "./local-daemon.js";
export * from "./machine-kind.js";
export * from "./memory-transport.js";
export * from "./transport.js";
