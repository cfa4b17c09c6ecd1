import type { DaemonCapabilities, LocalDaemonEndpoint } from "@daemon-sdk/protocol";

/** Whom this connection is authenticated as, and what the daemon can do. */
export interface DaemonIdentity {
  readonly userId: string;
  readonly orgId: string;
  /** Of this start of the daemon; undefined where it does not tell. */
  readonly instanceId?: string;
  /** Extensions the daemon offers; empty for a plain `droid daemon`, with which everything works, too. */
  readonly capabilities: DaemonCapabilities;
  /** The local daemon that was found or started; undefined when the link was made by URL. */
  readonly endpoint?: LocalDaemonEndpoint;
}
