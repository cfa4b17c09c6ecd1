import { isRecord } from "@daemon-sdk/protocol";

/**
 * Version of the protocol between a daemon and a former one that holds agents for it. A daemon of another version is refused, so
 * this number changes only when an old daemon and a new one could not understand each other.
 */
export const HOLD_VERSION = 1;

/**
 * Calls to a holder, and its one notification. Envelopes of the session wire, as lines on a unix socket.
 *
 * A caller takes first, which shows what is held and changes nothing. It adopts when it is ready to receive events; the holder
 * is its own from then on. It releases before it hands over to the next daemon.
 */
export const HOLD_CALLS = {
  take: "hold_take",
  adopt: "hold_adopt",
  release: "hold_release",
  prompt: "hold_prompt",
  /** Settles as the prompt that the agent has got from an earlier daemon. */
  prompted: "hold_prompted",
  interrupt: "hold_interrupt",
  call: "hold_call",
  stop: "hold_stop",
  /** Notifications of the daemon. */
  pause: "hold_pause",
  respond: "hold_respond",
  refuse: "hold_refuse",
  /** Notification of the holder: one event of an agent. */
  event: "hold_event",
} as const;

/** Where a holder listens, and what admits a daemon there. */
export interface HolderAddress {
  readonly socketPath: string;
  readonly secret: string;
}

/** A held agent, as the holder lists it. */
export interface ListedAgent {
  readonly sessionId: string;
  readonly pid: number;
  readonly startTime: string;
}

/** The answer to a take. */
export interface Taken {
  readonly version: number;
  /** The start of the daemon that the agents' marks name. */
  readonly instanceId: string;
  readonly agents: readonly ListedAgent[];
  /** What the holder's daemon passes to its successor; undefined once a successor has adopted. */
  readonly estate?: unknown;
}

/** Whether that is an answer to a take of this version. */
export function isTaken(value: unknown): value is Taken {
  return (
    isRecord(value) &&
    value.version === HOLD_VERSION &&
    typeof value.instanceId === "string" &&
    Array.isArray(value.agents)
  );
}
