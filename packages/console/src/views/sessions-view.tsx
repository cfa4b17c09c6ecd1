import type { JSX } from "preact";
import { Empty } from "../ui/index.js";
import { OtherSession } from "./other-session.js";
import { SessionList } from "./session-list.js";
import { SessionView } from "./session-view.js";
import type { ViewProps } from "./view-props.js";

/** The list of sessions, and the one that is chosen. A narrow page shows one of both. */
export function SessionsView(
  props: ViewProps & { readonly sessionId: string | undefined; readonly machineId: string | undefined },
): JSX.Element {
  const { state, sessionId } = props;
  return (
    <div class={sessionId === undefined ? "split at-list" : "split at-detail"}>
      <SessionList state={state} chosen={sessionId} />
      <section class="detail" aria-label="Session">
        {sessionId === undefined ? (
          <Empty title="No session is chosen">Choose one from the list, or begin a new one.</Empty>
        ) : (
          <Chosen state={state} sessionId={sessionId} machineId={props.machineId} />
        )}
      </section>
    </div>
  );
}

/** A session that was moved is on another machine than its address names: the list knows. */
function Chosen(
  props: ViewProps & { readonly sessionId: string; readonly machineId: string | undefined },
): JSX.Element | null {
  const { state, sessionId } = props;
  const row = state.sessions.value?.find((one) => one.sessionId === sessionId);
  const machineId = row === undefined ? props.machineId : row.machineId;
  const connection = state.connection.value;
  if (machineId !== undefined && state.fleet.isOther(machineId))
    return <OtherSession key={`${machineId} ${sessionId}`} state={state} sessionId={sessionId} machineId={machineId} />;
  return connection === undefined ? null : (
    <SessionView key={sessionId} state={state} connection={connection} sessionId={sessionId} />
  );
}
