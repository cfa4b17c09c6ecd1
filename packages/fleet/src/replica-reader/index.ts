export {
  type FleetReplica,
  ReplicaReader,
  type ReplicaSessionContent,
  type ReplicaSessionItem,
} from "./replica-reader.js";
