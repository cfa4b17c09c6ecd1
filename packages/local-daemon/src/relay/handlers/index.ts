import type { RelayHandlers, RelayServices } from "../relay-services.js";

/** Every handler of the relay; the router merges them. One type has one handler. */
export function relayHandlers(_services: RelayServices): RelayHandlers[] {
  return [];
}
