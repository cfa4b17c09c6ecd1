import type { JSX } from "preact";
import { Empty } from "../ui/index.js";
import { SessionList } from "./session-list.js";
import { SessionView } from "./session-view.js";
import type { ViewProps } from "./view-props.js";

/** The list of sessions, and the one that is chosen. A narrow page shows one of both. */
export function SessionsView({
  state,
  sessionId,
}: ViewProps & { readonly sessionId: string | undefined }): JSX.Element {
  const connection = state.connection.value;
  return (
    <div class={sessionId === undefined ? "split at-list" : "split at-detail"}>
      <SessionList state={state} chosen={sessionId} />
      <section class="detail" aria-label="Session">
        {sessionId === undefined || connection === undefined ? (
          <Empty title="No session is chosen">Choose one from the list, or begin a new one.</Empty>
        ) : (
          <SessionView key={sessionId} state={state} connection={connection} sessionId={sessionId} />
        )}
      </section>
    </div>
  );
}
