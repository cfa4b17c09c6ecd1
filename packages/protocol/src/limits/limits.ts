import { CLIENT_LIMITS } from "./client-limits.js";
import { DAEMON_LIMITS } from "./daemon-limits.js";
import { RELAY_CLIENT_LIMITS } from "./relay-client-limits.js";
import { WIRE_LIMITS } from "./wire-limits.js";

/**
 * Bounds and defaults of the wires, the clients and the daemon, with their reasons. Durations end in `Ms`, sizes in `Bytes`.
 *
 * Options override these where an option exists. A number that means something to one algorithm only stands beside that.
 */
export const LIMITS = { ...CLIENT_LIMITS, ...WIRE_LIMITS, ...RELAY_CLIENT_LIMITS, ...DAEMON_LIMITS } as const;
