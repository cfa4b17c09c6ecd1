import type { JSX } from "preact";

/** What an activity is called, as users read it. */
const ACTIVITY_TEXT: Readonly<Record<string, string>> = {
  idle: "Idle",
  "waiting-model": "Working",
  "waiting-tool": "Running a tool",
  "waiting-you": "Waiting for you",
  "waiting-agent": "Agent starts",
  stalled: "No sign for a minute",
  gone: "Agent is gone",
  unknown: "No answer",
};

/** An activity as a dot and a word. */
export function Activity({ of, isQuiet = false }: { readonly of: string; readonly isQuiet?: boolean }): JSX.Element {
  const text = ACTIVITY_TEXT[of] ?? of;
  return (
    <span class={`activity ${of}`}>
      <span class="dot" aria-hidden="true" />
      <span class={isQuiet && of === "idle" ? "visually-hidden" : undefined}>{text}</span>
    </span>
  );
}
