import type { JSX } from "preact";
import { memo } from "preact/compat";
import { Markdown } from "../markdown/index.js";
import type { Entry, ThinkingEntry, TurnEndEntry, UserEntry } from "../model/index.js";
import { clock, duration } from "../ui/index.js";
import { ToolRow } from "./tool-row.js";

/** Options of {@link Row}. */
export interface RowProps {
  readonly row: Entry;
  /** Whether the user is asked about it. */
  readonly isAsked: boolean;
}

/** One row of a transcript. */
export const Row = memo(function Row({ row, isAsked }: RowProps): JSX.Element {
  switch (row.kind) {
    case "user":
      return <Prompt row={row} />;
    case "text":
      return (
        <div class={row.isOpen ? "said open" : "said"}>
          <Markdown text={row.text} />
        </div>
      );
    case "thinking":
      return <Thinking row={row} />;
    case "tool":
      return <ToolRow row={row} isAsked={isAsked} />;
    case "notice":
      return (
        <p class={row.isError ? "notice error" : "notice"} role={row.isError ? "alert" : undefined}>
          {row.text}
        </p>
      );
    case "end":
      return <TurnEnd row={row} />;
  }
});

function Prompt({ row }: { readonly row: UserEntry }): JSX.Element {
  return (
    <div class={row.isWaiting ? "prompt waiting" : "prompt"}>
      <div class="prompt-text">{row.text}</div>
      <p class="meta">
        <span class="visually-hidden">You, </span>
        {row.isWaiting
          ? "Queued"
          : row.at !== undefined && <time dateTime={new Date(row.at).toISOString()}>{clock(row.at)}</time>}
      </p>
    </div>
  );
}

function Thinking({ row }: { readonly row: ThinkingEntry }): JSX.Element {
  const label = row.isOpen
    ? "Thinking"
    : row.durationMs === undefined
      ? "Thought"
      : `Thought for ${duration(row.durationMs)}`;
  return (
    <details class={row.isOpen ? "thinking open" : "thinking"}>
      <summary>
        <span>{label}</span>
        <span class="peek">{row.text.slice(-120)}</span>
      </summary>
      <div class="folded-text">{row.text}</div>
    </details>
  );
}

const OUTCOMES: Readonly<Record<string, string>> = {
  success: "Done",
  interrupted: "Interrupted",
  error_during_execution: "Failed",
  error_structured_output: "Done, without the wanted form",
};

function TurnEnd({ row }: { readonly row: TurnEndEntry }): JSX.Element {
  return (
    <p class={`turn-end ${row.outcome}`}>
      <span>
        {OUTCOMES[row.outcome] ?? row.outcome} · {duration(row.durationMs)}
      </span>
    </p>
  );
}
