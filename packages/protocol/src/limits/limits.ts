import { CLIENT_LIMITS } from "./client-limits.js";
import { RELAY_CLIENT_LIMITS } from "./relay-client-limits.js";
import { TEXT_LIMITS } from "./text-limits.js";
import { WIRE_LIMITS } from "./wire-limits.js";

/**
 * Bounds and defaults of the wires and of the clients, with their reasons. Durations end in `Ms`, sizes in `Bytes`.
 *
 * Options override these where an option exists. Limits of the daemon are in `DEFAULT_CONFIG.limits` of
 * `@daemon-sdk/local-daemon/server`. A number of one algorithm only is defined beside that algorithm.
 */
export const LIMITS = { ...CLIENT_LIMITS, ...WIRE_LIMITS, ...TEXT_LIMITS, ...RELAY_CLIENT_LIMITS } as const;
