import type { DaemonCapabilities, LocalDaemonEndpoint } from "@daemon-sdk/protocol";

/** The user that a connection is authenticated as, and what the daemon offers. */
export interface DaemonIdentity {
  readonly userId: string;
  readonly orgId: string;
  /** Id of the daemon's process, new at each start; undefined where the daemon states none. */
  readonly instanceId?: string;
  /** Extensions of the wire that the daemon offers; empty for a plain `droid daemon`, which needs none of them. */
  readonly capabilities: DaemonCapabilities;
  /** The local daemon that was found or started; undefined when the link was made by URL. */
  readonly endpoint?: LocalDaemonEndpoint;
}
