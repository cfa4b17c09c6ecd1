export { SessionReplica } from "./session-replica.js";
