export * from "./connect-daemon.js";
export * from "./local-platform.js";
