import { type DaemonCapabilities, LIMITS } from "@daemon-sdk/protocol";

/** Everything that the fake daemon can offer, and offers unless told otherwise (docs/protocol.md §4). */
export const ALL_CAPABILITIES: Readonly<Required<DaemonCapabilities>> = {
  turns: true,
  inbox: true,
  directInterrupt: true,
  turnInterrupt: true,
  detach: true,
  positions: true,
  resume: true,
  credit: true,
  receipts: true,
  turnEvents: true,
  requests: true,
  ping: true,
  tickets: true,
  maxMessageBytes: LIMITS.sessionFrameBytes,
  agents: ["fake"],
};

/** How the capabilities of a fake daemon are chosen. */
export interface CapabilityOptions {
  /** What `authenticate` offers, and what the daemon then does: exactly this. Default: {@link ALL_CAPABILITIES}. */
  readonly capabilities?: DaemonCapabilities;
  /** Offers nothing, as a plain `droid daemon` does. Default false. */
  readonly plain?: boolean;
  /** Takes these away from what would be offered otherwise. */
  readonly without?: readonly (keyof DaemonCapabilities)[];
}

/** What a daemon with these options offers. */
export function capabilitiesOf(options: CapabilityOptions): DaemonCapabilities {
  if (options.plain) return {};
  const offered: DaemonCapabilities = { ...(options.capabilities ?? ALL_CAPABILITIES) };
  for (const name of options.without ?? []) delete offered[name];
  return offered;
}

/** The capability a method belongs to; a daemon that does not offer it does not know the method. */
export const CAPABILITY_OF_METHOD: ReadonlyMap<string, keyof DaemonCapabilities> = new Map([
  ["detach_session", "detach"],
  ["resume_session", "resume"],
  ["follow_session", "credit"],
  ["grant_credit", "credit"],
  ["get_receipts", "receipts"],
  ["get_turn_events", "turnEvents"],
  ["list_requests", "requests"],
  ["answer_request", "requests"],
  ["ping", "ping"],
  ["create_ticket", "tickets"],
]);
