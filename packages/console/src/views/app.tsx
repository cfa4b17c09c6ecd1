import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { route, Spinner } from "../ui/index.js";
import { AgentsView } from "./agents-view.js";
import { HourView } from "./hour-view.js";
import { InboxView } from "./inbox-view.js";
import { LinkBanner } from "./link-banner.js";
import { MachinesView } from "./machines-view.js";
import { NoAccess } from "./no-access.js";
import { Rail } from "./rail.js";
import { SessionsView } from "./sessions-view.js";
import type { ViewProps } from "./view-props.js";

/** The page: the rail, the banner of the connection, and the view that the address names. */
export function App({ state }: ViewProps): JSX.Element {
  const { link, connection, failure, requests } = state;
  const waiting = requests.value.length;
  useEffect(() => {
    document.title = waiting === 0 ? "Console" : `(${waiting}) Console`;
  }, [waiting]);
  if (link.value === "refused") return <NoAccess />;
  return (
    <div class="app">
      <button type="button" class="skip" onClick={skip}>
        Skip to content
      </button>
      <Rail state={state} />
      <div class="stage">
        <LinkBanner link={link.value} retry={() => void state.connect()} />
        {failure.value !== undefined && <Failure text={failure.value} dismiss={() => (failure.value = undefined)} />}
        <main id="main" tabIndex={-1}>
          {connection.value === undefined ? <Waiting link={link.value} /> : <View state={state} />}
        </main>
      </div>
      <p class="visually-hidden" role="status">
        {waiting > 0 && `${waiting} ${waiting === 1 ? "question waits" : "questions wait"} for you`}
      </p>
    </div>
  );
}

function View({ state }: ViewProps): JSX.Element {
  const to = route.value;
  switch (to.view) {
    case "inbox":
      return <InboxView state={state} />;
    case "machines":
      return <MachinesView state={state} />;
    case "agents":
      return <AgentsView state={state} />;
    case "hour":
      return <HourView state={state} />;
    default:
      return <SessionsView state={state} sessionId={to.sessionId} machineId={to.machineId} />;
  }
}

function Waiting({ link }: { readonly link: string }): JSX.Element | null {
  return link === "connecting" ? <Spinner label="Connecting to the daemon" /> : null;
}

function Failure({ text, dismiss }: { readonly text: string; readonly dismiss: () => void }): JSX.Element {
  return (
    <div class="banner error" role="alert">
      <span>{text}</span>
      <button type="button" class="quiet small" onClick={dismiss}>
        Dismiss
      </button>
    </div>
  );
}

/** No link: the fragment of the address is the route. */
function skip(): void {
  document.getElementById("main")?.focus();
}
