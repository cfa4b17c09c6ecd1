import { readsMetrics } from "../../access/index.js";
import { notAllowed } from "../../refusals.js";
import { handle } from "./handler.js";

/** What the daemon counts (docs/protocol.md §12, "Metrics"). */
export const METRICS_HANDLERS = [
  handle("getMetrics", (_params, { client, host, readMetrics }) => {
    // They count what all keys do.
    if (!readsMetrics(host.rules.policies.of(client.principal.keyId)))
      throw notAllowed("The policy of this key does not let it read metrics.");
    return { result: readMetrics() };
  }),
];
