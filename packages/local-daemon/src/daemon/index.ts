export type { FleetSettings } from "./fleet-membership.js";
export { runDaemon } from "./run-daemon.js";
