import type { DaemonConnection, DaemonSession, DaemonSessionOptions } from "@daemon-sdk/client";
import type { InboxRequest, SearchSessionsParams, SearchSessionsResult } from "@daemon-sdk/protocol";

/** One machine of a fleet, as `GET /machines` shows it. */
export interface HttpMachine {
  readonly machineId: string;
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly agents: readonly string[];
  readonly working: number;
  readonly capacity: number;
  readonly load: number;
  readonly version: string;
}

/** What all machines answered, and which of them did not. */
export interface FleetAnswer<Item> {
  readonly items: readonly Item[];
  readonly missing: readonly { readonly machineId: string; readonly error: Error }[];
}

/** The calls of a fleet that the gateway makes. A `Fleet` of `@daemon-sdk/fleet` has all of them. */
export interface HttpFleet {
  machines(): Iterable<HttpMachine>;
  createSession(
    options: DaemonSessionOptions & {
      needs?: { readonly agent?: string; readonly labels?: Readonly<Record<string, string>> };
    },
  ): Promise<DaemonSession>;
  onMachineOf<Result>(
    sessionId: string,
    call: (connection: DaemonConnection, machineId: string) => Promise<Result>,
  ): Promise<Result>;
  onMachines<Item>(
    call: (connection: DaemonConnection, machineId: string) => Promise<readonly Item[]>,
  ): Promise<FleetAnswer<Item>>;
  listRequests(): Promise<FleetAnswer<InboxRequest & { readonly machineId: string }>>;
  searchSessions(
    search: SearchSessionsParams,
  ): Promise<FleetAnswer<SearchSessionsResult["sessions"][number]> & { readonly isIncomplete: boolean }>;
}
