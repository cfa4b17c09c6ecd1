import { isRecord } from "@daemon-sdk/protocol";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { DiffView, patchOf } from "../diff/index.js";
import type { ToolEntry } from "../model/index.js";
import { Icon, Preformatted } from "../ui/index.js";

const STATES: Readonly<Record<ToolEntry["state"], string>> = { running: "running", done: "done", failed: "failed" };

/** The use of a tool in one line; opened, its input and its output. What is folded is not in the document. */
export function ToolRow({ row, isAsked }: { readonly row: ToolEntry; readonly isAsked: boolean }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class={`tool ${row.state}`} open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="tool" />
        <span class="tool-name">{row.name}</span>
        <span class="peek">{peek(row.input)}</span>
        <span class="tool-state">{isAsked && row.state === "running" ? "asks you" : STATES[row.state]}</span>
      </summary>
      {isOpen && <Inside row={row} />}
    </details>
  );
}

function Inside({ row: { input, output, name } }: { readonly row: ToolEntry }): JSX.Element {
  const change = changeOf(input);
  return (
    <div class="tool-inside">
      {change === undefined ? (
        isRecord(input) &&
        Object.keys(input).length > 0 && (
          <Preformatted label={`Input of ${name}`} text={JSON.stringify(input, null, 2)} />
        )
      ) : (
        <DiffView patch={change} />
      )}
      {output !== "" && <Preformatted label={`Output of ${name}`} text={output} />}
    </div>
  );
}

/** The difference that a tool made to a file, by the names that agents use for its fields. */
function changeOf(input: unknown): string | undefined {
  if (!isRecord(input)) return undefined;
  const [path, before, after, content] = [
    text(input.file_path ?? input.path),
    text(input.old_string ?? input.old_str ?? input.oldText),
    text(input.new_string ?? input.new_str ?? input.newText),
    text(input.content),
  ];
  if (path === undefined) return undefined;
  if (before !== undefined && after !== undefined) return patchOf(path, before, after);
  return content === undefined ? undefined : patchOf(path, "", content);
}

const PEEKED = ["command", "file_path", "path", "pattern", "query", "text", "url", "description"] as const;

function peek(input: unknown): string {
  if (!isRecord(input)) return "";
  const name = PEEKED.find((one) => typeof input[one] === "string");
  return name === undefined
    ? Object.values(input)
        .filter((value) => typeof value === "string")
        .join(" ")
    : String(input[name]);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
