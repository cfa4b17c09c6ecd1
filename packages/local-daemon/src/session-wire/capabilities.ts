import { type DaemonCapabilities, LIMITS } from "@daemon-sdk/protocol";

/** What this daemon offers beyond the original wire, to a client that may use these agents (docs/protocol.md §4). */
export function capabilitiesWith(agents: string[]): DaemonCapabilities {
  return {
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
    console: true,
    sessionEnv: true,
    workspace: true,
    metrics: true,
    maxMessageBytes: LIMITS.sessionFrameBytes,
    agents,
  };
}
