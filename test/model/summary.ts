import type { ModelOutcome } from "./run-model.js";

/** What a run did, in one line. */
export function summaryOf({ counts, messages, entries, faults }: ModelOutcome): string {
  const kinds = [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${count} × ${name}`);
  return `${messages} messages, ${entries} entries, ${faults.length} faults; ${kinds.join(", ")}`;
}
