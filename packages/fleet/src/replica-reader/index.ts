export {
  type FleetReplica,
  ReplicaReader,
  type ReplicaReaderOptions,
  type ReplicaSessionContent,
  type ReplicaSessionItem,
} from "./replica-reader.js";
