import { type Signal, signal } from "@preact/signals";

/** What the page shows, from the fragment of its address. */
export type Route =
  | { readonly view: "sessions"; readonly sessionId?: string; readonly machineId?: string }
  | { readonly view: "inbox" }
  | { readonly view: "machines" }
  | { readonly view: "agents" }
  | { readonly view: "hour" };

/** The present route; follows the address. */
export const route: Signal<Route> = signal(parse(location.hash));

addEventListener("hashchange", () => {
  route.value = parse(location.hash);
});

/** The address of a route. */
export function navigate(to: string): void {
  location.hash = to;
}

/**
 * The address of a session.
 *
 * @param machineId the machine that has it, where that is not the page's own
 */
export function sessionAddress(sessionId: string, machineId?: string): string {
  const place = machineId === undefined ? "" : `/${encodeURIComponent(machineId)}`;
  return `/sessions/${encodeURIComponent(sessionId)}${place}`;
}

function parse(hash: string): Route {
  const [, view = "", sessionId, machineId] = hash.split("/");
  if (view === "inbox" || view === "machines" || view === "agents" || view === "hour") return { view };
  return sessionId === undefined || sessionId === ""
    ? { view: "sessions" }
    : {
        view: "sessions",
        sessionId: decodeURIComponent(sessionId),
        ...(machineId === undefined ? {} : { machineId: decodeURIComponent(machineId) }),
      };
}
