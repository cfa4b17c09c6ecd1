/** The local daemon for clients: what `@daemon-sdk/local-daemon` has to be installed for. */
export {
  type ConnectLocalOptions,
  connectLocal,
  type EnsureLocalDaemonOptions,
  ensureLocalDaemon,
  type LocalDaemonEndpoint,
  type LocalLink,
  resolveLocalAuthToken,
} from "@daemon-sdk/local-daemon";
