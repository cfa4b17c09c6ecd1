import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { SessionRow } from "../daemon/index.js";
import { Activity, ago, Empty, Icon, Spinner, sessionAddress } from "../ui/index.js";
import { Missing } from "./missing.js";
import { NewSession } from "./new-session.js";
import { useSearch } from "./use-search.js";
import type { ViewProps } from "./view-props.js";

const FILTERS = ["All", "Working", "For you", "Archived"] as const;
type Filter = (typeof FILTERS)[number];

/** Sessions, newest first: with a search in what was said, and a filter by what they do. */
export function SessionList({ state, chosen }: ViewProps & { readonly chosen: string | undefined }): JSX.Element {
  const filter = useSignal<Filter>("All");
  const query = useSignal("");
  const isCreating = useSignal(false);
  const search = useSearch(state, query.value);
  const rows = state.sessions.value;
  const shown = rows?.filter((row) => fits(row, filter.value) && search.has(row));
  return (
    <section class="list" aria-label="Sessions">
      <div class="list-head">
        <h2>Sessions</h2>
        <button type="button" class="small" onClick={() => (isCreating.value = true)}>
          <Icon name="plus" />
          New
        </button>
      </div>
      <SearchBox value={query.value} onInput={(text) => (query.value = text)} />
      <Filters filter={filter} />
      <Missing state={state} of="sessions" />
      <div class="rows">
        {shown === undefined ? (
          <Spinner label="Loading sessions" />
        ) : (
          <Rows
            rows={shown}
            chosen={chosen}
            snippets={search.snippets}
            isFiltered={shown.length < (rows?.length ?? 0)}
          />
        )}
        {state.hasOlder.value && query.value === "" && (
          <button type="button" class="quiet wide" onClick={() => void state.readOlder()}>
            Older sessions
          </button>
        )}
      </div>
      {isCreating.value && <NewSession state={state} close={() => (isCreating.value = false)} />}
    </section>
  );
}

function Filters({ filter }: { readonly filter: Signal<Filter> }): JSX.Element {
  return (
    <fieldset class="filters">
      <legend class="visually-hidden">Show</legend>
      {FILTERS.map((one) => (
        <label key={one} class="chip">
          <input
            type="radio"
            name="filter"
            checked={filter.value === one}
            onChange={() => {
              filter.value = one;
            }}
          />
          <span>{one}</span>
        </label>
      ))}
    </fieldset>
  );
}

function SearchBox({
  value,
  onInput,
}: {
  readonly value: string;
  readonly onInput: (text: string) => void;
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <div class="search">
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        aria-label="Search sessions"
        placeholder="Search"
        aria-keyshortcuts="Control+K"
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <span class="key" aria-hidden="true">
        Ctrl K
      </span>
    </div>
  );
}

interface RowsProps {
  readonly rows: readonly SessionRow[];
  readonly chosen: string | undefined;
  readonly snippets: ReadonlyMap<string, string>;
  readonly isFiltered: boolean;
}

function Rows({ rows, chosen, snippets, isFiltered }: RowsProps): JSX.Element {
  if (rows.length === 0)
    return isFiltered ? (
      <Empty title="No session fits">Change the search or the filter.</Empty>
    ) : (
      <Empty title="No sessions yet">
        Begin one here, or with <code>local-daemon run</code>.
      </Empty>
    );
  return (
    <ul class="session-rows" onKeyDown={moveFocus}>
      {rows.map((row) => (
        <li key={`${row.machineId} ${row.sessionId}`}>
          <Row row={row} isChosen={row.sessionId === chosen} snippet={snippets.get(row.sessionId)} />
        </li>
      ))}
    </ul>
  );
}

function Row(props: {
  readonly row: SessionRow;
  readonly isChosen: boolean;
  readonly snippet: string | undefined;
}): JSX.Element {
  const { row, isChosen, snippet } = props;
  return (
    <a
      class="session-row"
      href={`#${sessionAddress(row.sessionId, row.machineId)}`}
      aria-current={isChosen ? "true" : undefined}
    >
      <span class="row-top">
        <span class="row-title">{row.title ?? "Untitled"}</span>
        <time dateTime={new Date(row.updatedAt).toISOString()}>{ago(row.updatedAt)}</time>
      </span>
      {snippet !== undefined && <span class="row-snippet">{snippet}</span>}
      <span class="row-bottom">
        {row.machineId !== undefined && <span class="row-machine">{row.machineId}</span>}
        <span class="row-place">{shortPath(row.cwd)}</span>
        <Activity of={row.activity} isQuiet />
      </span>
    </a>
  );
}

function fits({ activity, archivedAt }: SessionRow, filter: Filter): boolean {
  if (filter === "Archived") return archivedAt !== undefined;
  if (archivedAt !== undefined) return false;
  if (filter === "For you") return activity === "waiting-you";
  return filter === "All" || (activity !== "idle" && activity !== "unknown");
}

function shortPath(cwd: string | undefined): string {
  if (cwd === undefined) return "";
  const parts = cwd.split("/").filter(Boolean);
  return parts.length <= 2 ? cwd : `…/${parts.slice(-2).join("/")}`;
}

/** Arrow keys move through the list; Tab leaves it row by row as in every list of links. */
function moveFocus(event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links = [...(event.currentTarget as HTMLElement).querySelectorAll("a")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  links[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  event.preventDefault();
}
