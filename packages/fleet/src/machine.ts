export {
  type FleetDaemon,
  type FleetMembership,
  type FleetPrincipal,
  type JoinFleetOptions,
  joinFleet,
} from "./machine/index.js";
