import type { Fleet, FleetMachine } from "../../packages/fleet/src/index.js";

/** Resolves once the machines of a fleet are as `holds` wants them. */
export async function until(
  fleet: Pick<Fleet, "machines">,
  holds: (machines: readonly FleetMachine[]) => boolean,
): Promise<void> {
  for await (const machines of fleet.machines().changes()) if (holds(machines)) return;
}

/** The texts of all results: one for each turn. */
export async function resultsOf(stream: AsyncIterable<{ type: string }>): Promise<(string | undefined)[]> {
  const texts: (string | undefined)[] = [];
  for await (const event of stream) if (event.type === "result") texts.push((event as { text?: string }).text);
  return texts;
}
