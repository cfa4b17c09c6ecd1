export type {
  ConnectLocalOptions,
  EnsureLocalDaemonOptions,
  LocalDaemonEndpoint,
  LocalLink,
} from "@daemon-sdk/protocol";
export { connectLocal, ensureLocalDaemon, resolveLocalAuthToken } from "./rendezvous/index.js";
