import type { JSX } from "preact";
import { Icon, type IconName, nextTheme, route, theme } from "../ui/index.js";
import type { ViewProps } from "./view-props.js";

const VIEWS: readonly { readonly view: string; readonly label: string; readonly icon: IconName }[] = [
  { view: "sessions", label: "Sessions", icon: "sessions" },
  { view: "inbox", label: "Inbox", icon: "inbox" },
  { view: "machines", label: "Machines", icon: "machines" },
  { view: "agents", label: "Agents", icon: "agents" },
  { view: "hour", label: "Last hour", icon: "hour" },
];

const LINK_TEXT: Readonly<Record<string, string>> = {
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  unreachable: "Not connected",
};

/** The way between the views; at the bottom of a narrow page. */
export function Rail({ state }: ViewProps): JSX.Element {
  const waiting = state.requests.value.length;
  const link = state.link.value;
  const isInFleet = state.fleet.now.value !== undefined;
  return (
    <header class="rail">
      <h1 class="visually-hidden">Console</h1>
      <nav aria-label="Views">
        {VIEWS.filter(({ view }) => view !== "machines" || isInFleet).map(({ view, label, icon }) => (
          <a key={view} href={`#/${view}`} aria-current={route.value.view === view ? "page" : undefined}>
            <Icon name={icon} />
            <span>{label}</span>
            {view === "inbox" && waiting > 0 && (
              <span class="badge">
                {waiting}
                <span class="visually-hidden"> waiting</span>
              </span>
            )}
          </a>
        ))}
      </nav>
      <div class="rail-end">
        <button type="button" class="rail-button" onClick={nextTheme} aria-label={`Colours: ${theme.value}. Change`}>
          <Icon name={theme.value} />
        </button>
        <span
          class={`link-state ${link}`}
          role="img"
          aria-label={LINK_TEXT[link] ?? link}
          title={LINK_TEXT[link] ?? link}
        />
      </div>
    </header>
  );
}
