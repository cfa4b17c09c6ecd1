import type { JSX } from "preact";
import type { LinkState } from "../daemon/index.js";

/** What is wrong with the connection, and what the page does about it. Nothing while all is well. */
export function LinkBanner({ link, retry }: { readonly link: LinkState; readonly retry: () => void }): JSX.Element {
  return (
    <div class="banner-place" role="status">
      {link === "reconnecting" && (
        <div class="banner warn">
          <span class="spinner" aria-hidden="true" />
          <span>
            The connection was lost. Trying again; sessions go on meanwhile. A daemon that was stopped needs a new link.
          </span>
        </div>
      )}
      {link === "unreachable" && (
        <div class="banner error">
          <span>
            The daemon does not answer. Start it with <code>local-daemon start</code>, then open a new link with{" "}
            <code>local-daemon open</code>.
          </span>
          <button type="button" class="small" onClick={retry}>
            Try again
          </button>
        </div>
      )}
    </div>
  );
}
