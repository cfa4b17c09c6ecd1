import type { JSX } from "preact";
import { Empty, Spinner } from "../ui/index.js";
import { machineText } from "./machine-text.js";
import { SessionHead, SessionView } from "./session-view.js";
import type { ViewProps } from "./view-props.js";

/** A session of another machine, over a link that the daemon of this page passes on. */
export function OtherSession({
  state,
  machineId,
  sessionId,
}: ViewProps & { readonly machineId: string; readonly sessionId: string }): JSX.Element {
  const link = state.fleet.link(machineId);
  const connection = link.connection.value;
  const lost = machineText(state.fleet.machine(machineId));
  if (connection !== undefined)
    return (
      <>
        <div class="banner-place" role="status">
          {link.failure.value !== undefined && (
            <div class="banner warn">
              <span class="spinner" aria-hidden="true" />
              <span>
                The link to {machineId} was lost{lost === undefined ? "" : `, and the machine is ${lost}`}. Trying
                again; the session goes on meanwhile where its machine runs.
              </span>
            </div>
          )}
        </div>
        <SessionView state={state} connection={connection} sessionId={sessionId} />
      </>
    );
  return (
    <>
      <SessionHead state={state} sessionId={sessionId} />
      {lost !== undefined ? (
        <Empty title={`Machine ${machineId} is ${lost}`}>
          Its sessions are kept on its disk. This page goes on when its daemon is back in the fleet.
        </Empty>
      ) : link.failure.value !== undefined ? (
        <Empty title={`Machine ${machineId} cannot be reached`}>{link.failure.value} Trying again.</Empty>
      ) : (
        <Spinner label={`Connecting to ${machineId}`} />
      )}
    </>
  );
}
