import assert from "node:assert/strict";

/** Parts of a scenario by name; each resolves to its figure and throws when its sentence does not hold. */
export type Parts = Readonly<Record<string, () => Promise<string>>>;

/** Runs all of them, one after another, also where one fails; throws with everything that failed. */
export async function runParts(parts: Parts): Promise<string> {
  const figures: string[] = [];
  const failures: string[] = [];
  for (const [name, run] of Object.entries(parts)) {
    await run().then(
      (figure) => figures.push(`${name}: ${figure}`),
      (error: unknown) => failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`),
    );
  }
  if (failures.length > 0) assert.fail(`${failures.join("\n")}\nand these hold: ${figures.join("; ")}`);
  return figures.join("; ");
}
