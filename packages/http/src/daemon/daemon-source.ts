import { InvalidOptionError } from "@daemon-sdk/protocol";
import type { HttpPrincipal } from "../access/index.js";
import type { HttpDaemon } from "./http-daemon.js";
import type { HttpFleet } from "./http-fleet.js";
import { type ServedDaemon, servedDaemon } from "./served-daemon.js";
import { servedFleet } from "./served-fleet.js";

/**
 * What the gateway leads to: one connection, or one fleet, for all callers, who then share its sessions; or a function that returns that
 * of a caller, so that the daemon itself keeps the sessions of callers apart.
 */
export type DaemonSource =
  | HttpDaemon
  | HttpFleet
  | ((principal: HttpPrincipal) => HttpDaemon | HttpFleet | Promise<HttpDaemon | HttpFleet>);

/** The source as a function. Throws an `InvalidOptionError` for what is neither a connection, a fleet nor a function. */
export function daemonOf(source: DaemonSource): (principal: HttpPrincipal) => Promise<ServedDaemon> {
  if (typeof source === "function") return async (principal) => served(await source(principal));
  if (!isFleet(source) && typeof Object(source).follow !== "function")
    throw new InvalidOptionError("source", "a DaemonConnection, a Fleet, or a function that returns one", source);
  const one = served(source);
  return async () => one;
}

function served(source: HttpDaemon | HttpFleet): ServedDaemon {
  return isFleet(source) ? servedFleet(source) : servedDaemon(source);
}

function isFleet(source: HttpDaemon | HttpFleet): source is HttpFleet {
  return typeof Object(source).onMachines === "function";
}
