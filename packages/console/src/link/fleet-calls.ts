import { type ConsoleFleet, isRecord } from "@daemon-sdk/protocol";
import type { Access } from "./access.js";

/** Where words of a search stand, by session. */
export interface FleetFound {
  readonly found: readonly { readonly sessionId: string; readonly snippet: string }[];
}

/** What a session needs of its machine. */
export interface PlacedSession {
  readonly cwd: string;
  readonly agent: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The fleet as the daemon of this page shows it; undefined when the daemon shows none to this tab.
 *
 * @param endBefore only sessions that were updated before, in Unix milliseconds
 */
export async function readFleet(access: Access, endBefore?: number): Promise<ConsoleFleet | undefined> {
  const answer = await access.call("fleet", endBefore === undefined ? {} : { endBefore });
  // The answer is of the daemon that this page came from, and so of its version.
  return isRecord(answer) ? (answer as unknown as ConsoleFleet) : undefined;
}

/** Searches what was said on the other machines. */
export async function searchFleet(access: Access, query: string): Promise<FleetFound["found"]> {
  const answer = await access.call("fleet/search", { query });
  return isRecord(answer) ? (answer as unknown as FleetFound).found : [];
}

/** Makes a session on a machine that meets the needs. */
export async function placeSession(
  access: Access,
  session: PlacedSession,
): Promise<{ readonly sessionId: string; readonly machineId: string }> {
  const answer = await access.call("fleet/place", session);
  return answer as { sessionId: string; machineId: string };
}
