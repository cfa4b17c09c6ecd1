import { type Signal, signal } from "@preact/signals";

/** What the page shows, from the fragment of its address. */
export type Route =
  | { readonly view: "sessions"; readonly sessionId?: string }
  | { readonly view: "inbox" }
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

function parse(hash: string): Route {
  const [, view = "", sessionId] = hash.split("/");
  if (view === "inbox" || view === "agents" || view === "hour") return { view };
  return sessionId === undefined || sessionId === ""
    ? { view: "sessions" }
    : { view: "sessions", sessionId: decodeURIComponent(sessionId) };
}
