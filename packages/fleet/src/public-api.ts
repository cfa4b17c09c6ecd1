// What the entry for Node and that for pages have in common: everything but `connectFleet` itself.
export type { ArrivalChanges } from "@daemon-sdk/protocol";
export type { MoveEnd, MoveFiles, MoveFilesHook, MoveSessionOptions, MoveStep } from "./move/index.js";
export type { NatsOptions } from "./nats-base/index.js";
export type { FleetMachine, MachineEntry, MachineLabels, MachineState } from "./registry/index.js";
export type { FleetReplica, ReplicaSessionContent, ReplicaSessionItem } from "./replica-reader/index.js";
export type { ReplicaEnd } from "./replica-wire/index.js";
export {
  type ConnectFleet,
  type ConnectFleetOptions,
  Fleet,
  type FleetConnectionOptions,
  type FleetMachines,
  type FleetRequest,
  type FleetResult,
  type FleetSearchResult,
  type FleetSession,
  type FleetSessionOptions,
  type FoundSession,
  type MissingMachine,
  type SessionNeeds,
} from "./service/index.js";
