import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Scrollable } from "../ui/index.js";

/** Lines that are shown before the user asks for all of them. */
const FIRST_LINES = 40;

interface Line {
  readonly kind: "added" | "removed" | "hunk" | "same";
  readonly before?: number;
  readonly after?: number;
  readonly text: string;
}

/** A unified diff: line numbers, signs and colours; the signs alone carry the meaning. */
export function DiffView({ patch }: { readonly patch: string }): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  const lines = linesOf(patch);
  const shown = isWhole ? lines : lines.slice(0, FIRST_LINES);
  const rest = lines.length - shown.length;
  return (
    <div class="diff">
      <Scrollable class="diff-lines" label={summary(lines)}>
        {shown.map((line, index) => (
          <DiffLine key={index} line={line} />
        ))}
      </Scrollable>
      {rest > 0 && (
        <button type="button" class="quiet wide" onClick={() => setWhole(true)}>
          Show {rest} more {rest === 1 ? "line" : "lines"}
        </button>
      )}
    </div>
  );
}

function DiffLine({ line: { kind, before, after, text } }: { readonly line: Line }): JSX.Element {
  const sign = kind === "added" ? "+" : kind === "removed" ? "−" : " ";
  return (
    <div class={`diff-line ${kind}`}>
      <span class="number" aria-hidden="true">
        {before ?? ""}
      </span>
      <span class="number" aria-hidden="true">
        {after ?? ""}
      </span>
      <span class="sign">{sign}</span>
      <span class="text">{text}</span>
    </div>
  );
}

function linesOf(patch: string): Line[] {
  let before = 0;
  let after = 0;
  return patch
    .replace(/\n$/, "")
    .split("\n")
    .filter((line) => !/^(?:\\ No newline|diff --git|index |--- |\+\+\+ |=====)/.test(line))
    .map((line): Line => {
      const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line);
      if (hunk !== null) {
        before = Number(hunk[1]);
        after = Number(hunk[2]);
        return { kind: "hunk", text: line };
      }
      if (line.startsWith("+")) return { kind: "added", after: after++, text: line.slice(1) };
      if (line.startsWith("-")) return { kind: "removed", before: before++, text: line.slice(1) };
      return { kind: "same", before: before++, after: after++, text: line.slice(1) };
    });
}

function summary(lines: readonly Line[]): string {
  const count = (kind: Line["kind"]): number => lines.filter((line) => line.kind === kind).length;
  return `Diff, ${count("added")} lines added, ${count("removed")} removed`;
}
