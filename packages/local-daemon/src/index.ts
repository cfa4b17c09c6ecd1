export type {
  ConnectLocalOptions,
  EnsureLocalDaemonOptions,
  LocalDaemonEndpoint,
  LocalLink,
} from "@daemon-sdk/protocol";
export { resolveLocalAuthToken } from "./rendezvous/auth-token.js";
export { connectLocal } from "./rendezvous/connect-local.js";
export { ensureLocalDaemon } from "./rendezvous/ensure.js";
