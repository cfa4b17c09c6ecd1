import type { JSX } from "preact";

/** The page without a valid link. */
export function NoAccess(): JSX.Element {
  return (
    <main class="no-access">
      <h1>This tab has no access</h1>
      <p>
        A link to the console works once, for a minute. A tab that it opened works until it is closed or the daemon
        stops.
      </p>
      <p>For a new link, run:</p>
      <pre>
        <code>local-daemon open</code>
      </pre>
    </main>
  );
}
