export * from "./connect-daemon.js";
export * from "./fleet-machine.js";
export * from "./local-platform.js";
