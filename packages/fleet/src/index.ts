export type { ArrivalChanges, MoveEnd, MoveFiles, MoveFilesHook, MoveSessionOptions, MoveStep } from "./move/index.js";
export type { NatsOptions } from "./nats/index.js";
export type { FleetMachine, MachineEntry, MachineLabels, MachineState } from "./registry/index.js";
export {
  type ConnectFleetOptions,
  connectFleet,
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
