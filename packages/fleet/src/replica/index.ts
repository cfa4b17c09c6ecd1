export { MachineReplica, type ReplicaBounds } from "./machine-replica.js";
export { ReplicaStream } from "./replica-stream.js";
