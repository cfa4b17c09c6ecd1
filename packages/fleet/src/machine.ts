export type {
  ArrivalChanges,
  ArrivalState,
  FleetMoves,
  LeaveOrder,
  LeavingSession,
  MoveOrder,
  MoveState,
  SessionPiece,
} from "@daemon-sdk/protocol";
export type {
  FleetRelay,
  MailAccount,
  MailCarrier,
  MailExchange,
  MailLetter,
  MailReport,
  NamePlace,
} from "@daemon-sdk/protocol/relay";
export {
  type FleetDaemon,
  type FleetMembership,
  type FleetPrincipal,
  type JoinFleetOptions,
  joinFleet,
} from "./machine/index.js";
export type { ReplicaBounds } from "./replica/index.js";
