import type { JSX } from "preact";
import { machineText } from "./machine-text.js";
import type { ViewProps } from "./view-props.js";

/** Which machines have no fresh part in a list, so that nobody takes it for a whole one. Nothing where all have. */
export function Missing({ state, of }: ViewProps & { readonly of: "sessions" | "questions" }): JSX.Element | null {
  const { now, failure } = state.fleet;
  if (state.link.value !== "connected") return null;
  if (failure.value !== undefined)
    return (
      <p class="missing" role="status">
        The fleet cannot be reached: the {of} of other machines are old or missing. {failure.value}
      </p>
    );
  const missing = now.value?.missing ?? [];
  if (missing.length === 0) return null;
  return (
    <details class="missing">
      <summary>
        {missing.length === 1
          ? `${missing[0]?.machineId} does not answer: its ${of} are old or missing`
          : `${missing.length} machines do not answer: their ${of} are old or missing`}
      </summary>
      <ul>
        {missing.map(({ machineId, code, text }) => (
          <li key={machineId}>
            <strong>{machineId}</strong>: {machineText(state.fleet.machine(machineId)) ?? `${text} (${code})`}
          </li>
        ))}
      </ul>
    </details>
  );
}
