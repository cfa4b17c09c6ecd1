import { type DaemonCapabilities, LIMITS } from "@daemon-sdk/protocol";

/** All capabilities of the fake daemon, and its default (docs/protocol.md §4). The fake serves no HTTP, so no console. */
export const ALL_CAPABILITIES: Readonly<Required<Omit<DaemonCapabilities, "console">>> = {
  turns: true,
  inbox: true,
  directInterrupt: true,
  turnInterrupt: true,
  detach: true,
  delete: true,
  positions: true,
  resume: true,
  credit: true,
  batches: true,
  receipts: true,
  turnEvents: true,
  sessionEvents: true,
  requests: true,
  ping: true,
  tickets: true,
  sessionEnv: true,
  workspace: true,
  metrics: true,
  maxMessageBytes: LIMITS.sessionFrameBytes,
  agents: ["fake"],
};

/** Options that choose the capabilities of a fake daemon. */
export interface CapabilityOptions {
  /** The exact capabilities that the daemon offers and implements. Default: {@link ALL_CAPABILITIES}. */
  readonly capabilities?: DaemonCapabilities;
  /** Offers nothing, as a plain `droid daemon` does. Default false. */
  readonly plain?: boolean;
  /** Capabilities to remove from the offered ones. */
  readonly without?: readonly (keyof DaemonCapabilities)[];
}

/** The capabilities of a daemon with these options. */
export function capabilitiesOf(options: CapabilityOptions): DaemonCapabilities {
  if (options.plain) return {};
  const offered: DaemonCapabilities = { ...(options.capabilities ?? ALL_CAPABILITIES) };
  for (const name of options.without ?? []) delete offered[name];
  return offered;
}

/** The capability of each extension method. Without the capability, the method is unknown. */
export const CAPABILITY_OF_METHOD: ReadonlyMap<string, keyof DaemonCapabilities> = new Map([
  ["detach_session", "detach"],
  ["delete_session", "delete"],
  ["resume_session", "resume"],
  ["follow_session", "credit"],
  ["grant_credit", "credit"],
  ["get_receipts", "receipts"],
  ["get_turn_events", "turnEvents"],
  ["get_session_events", "sessionEvents"],
  ["list_requests", "requests"],
  ["answer_request", "requests"],
  ["ping", "ping"],
  ["create_ticket", "tickets"],
  ["get_metrics", "metrics"],
  ["list_files", "workspace"],
  ["get_git_diff", "workspace"],
  ["get_default_settings", "workspace"],
  ["list_models", "workspace"],
]);
