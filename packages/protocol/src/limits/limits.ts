import { CLIENT_LIMITS } from "./client-limits.js";
import { RELAY_CLIENT_LIMITS } from "./relay-client-limits.js";
import { WIRE_LIMITS } from "./wire-limits.js";

/**
 * Bounds and defaults of the wires and of the clients, with their reasons. Durations end in `Ms`, sizes in `Bytes`.
 *
 * Options override these where an option exists. The daemon's own are with the daemon (`DEFAULT_CONFIG.limits` of
 * `@daemon-sdk/local-daemon/server`). A number that means something to one algorithm only stands beside that.
 */
export const LIMITS = { ...CLIENT_LIMITS, ...WIRE_LIMITS, ...RELAY_CLIENT_LIMITS } as const;
