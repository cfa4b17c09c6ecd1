import type { InboxRequest } from "./params/index.js";

// What the daemon answers to the calls of its own console about a fleet. No method of the session wire has these types.

/** One machine of a fleet, as the console shows it. */
export interface ConsoleMachine {
  readonly machineId: string;
  /** `lost`: it gives no sign of life. Its sessions are on its disk. */
  readonly state: "online" | "lost";
  readonly labels: Readonly<Record<string, string>>;
  /** Names of its agents, the default first. */
  readonly agents: readonly string[];
  /** Sessions at work … */
  readonly working: number;
  /** … and how many of them the machine counts as full. */
  readonly capacity: number;
  /** Version of its daemon. */
  readonly version: string;
  /** Milliseconds since its last sign of life; undefined when the daemon that answers has seen none. */
  readonly silentMs?: number;
}

/** One session of another machine than the one that serves the console. */
export interface ConsoleSession {
  readonly sessionId: string;
  readonly machineId: string;
  readonly title?: string;
  readonly cwd?: string;
  /** Unix milliseconds. */
  readonly updatedAt: number;
  /** Unix milliseconds; absent for a session that is not archived. */
  readonly archivedAt?: number;
  readonly activity: string;
  readonly isOpen: boolean;
}

/** One pending request of another machine. */
export type ConsoleRequest = InboxRequest & { readonly machineId: string };

/** A machine whose sessions and requests are in no list, and why. */
export interface ConsoleMissing {
  readonly machineId: string;
  /** A code of `DaemonError`. */
  readonly code: string;
  readonly text: string;
}

/** A fleet, as the daemon of one of its machines shows it to its console. */
export interface ConsoleFleet {
  /** The machine whose daemon serves the console. Its own sessions are in none of these lists: the page has a connection for them. */
  readonly machineId: string;
  readonly machines: readonly ConsoleMachine[];
  /** Newest first. */
  readonly sessions: readonly ConsoleSession[];
  /** Unix milliseconds before which there are more sessions; absent when there are none. */
  readonly nextCursor?: number;
  /** Oldest first. */
  readonly requests: readonly ConsoleRequest[];
  /** Empty when the lists are whole. */
  readonly missing: readonly ConsoleMissing[];
}
