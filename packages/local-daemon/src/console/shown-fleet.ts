import type { ConsoleMachine, InboxRequest, Transport } from "@daemon-sdk/protocol";

/** A stored session of a machine, in what the console shows of it. */
export interface ShownSession {
  readonly sessionId: string;
  readonly title?: string;
  readonly cwd?: string;
  /** Unix milliseconds. */
  readonly updatedAt: number;
  /** Unix milliseconds. */
  readonly archivedAt?: number;
}

/** The calls of a connection to a machine that the console's lists need. A `DaemonConnection` has all of them. */
export interface ShownMachine {
  listAvailableSessions(page: {
    limit?: number;
    endBefore?: number;
  }): Promise<{ readonly sessions: readonly ShownSession[]; readonly nextCursor?: number }>;
  listOpenedSessions(): Promise<readonly { readonly sessionId: string; readonly activity?: string }[]>;
  listRequests(): Promise<readonly InboxRequest[]>;
}

/** What all machines answered, and which of them did not. */
export interface ShownAnswer<Item> {
  readonly items: readonly Item[];
  readonly missing: readonly { readonly machineId: string; readonly error: Error }[];
}

/** A connection to a fleet, as far as the console needs it. A `Fleet` of `@daemon-sdk/fleet` is one. */
export interface ShownFleet {
  machines(): Iterable<ConsoleMachine>;
  onMachines<Item>(
    call: (connection: ShownMachine, machineId: string) => Promise<readonly Item[]>,
  ): Promise<ShownAnswer<Item>>;
  searchSessions(search: { query: string; kind?: "all"; limitSessions?: number }): Promise<
    ShownAnswer<{
      readonly sessionId: string;
      readonly machineId: string;
      readonly hits: readonly { readonly snippets: readonly string[] }[];
    }>
  >;
  createSession(options: {
    cwd?: string;
    needs?: { readonly agent?: string; readonly labels?: Readonly<Record<string, string>> };
  }): Promise<{ readonly sessionId: string; detach(): Promise<void> }>;
  machineOf(sessionId: string): Promise<string>;
  /** @param signal aborted when the dial is given up, and when the link is over */
  dial(machineId: string, signal: AbortSignal): Promise<Transport>;
}

/** The fleet of a daemon, for its console. */
export interface FleetForConsole {
  /** Name of this daemon's machine. */
  readonly machineId: string;
  /** The connection to the fleet, made at the first call. Rejects as `connectFleet`. */
  open(): Promise<ShownFleet>;
}
