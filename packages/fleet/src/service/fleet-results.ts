import type { AvailableSession } from "@daemon-sdk/client";
import type { InboxRequest, SearchSessionsResult } from "@daemon-sdk/protocol";
import type { FleetResult } from "./ask-machines.js";

/** One row of {@link Fleet.listSessions}. */
export interface FleetSession extends AvailableSession {
  readonly machineId: string;
}

/** One row of {@link Fleet.listRequests}. */
export type FleetRequest = InboxRequest & { readonly machineId: string };

/** One row of {@link Fleet.searchSessions}. */
export type FoundSession = SearchSessionsResult["sessions"][number] & { readonly machineId: string };

/** The result of {@link Fleet.searchSessions}. */
export interface FleetSearchResult extends FleetResult<FoundSession> {
  /** There may be more hits: the search of a machine timed out, or its index is not complete yet. */
  readonly isIncomplete: boolean;
}
