import { DELIVERY_CASES } from "./delivery-cases.js";
import { ENDING_CASES } from "./ending-cases.js";
import { PRESSURE_CASES } from "./pressure-cases.js";
import type { TransportCase, TransportHarness } from "./transport-case.js";

/**
 * The laws T1 to T11 of `Transport` as cases that run against any implementation.
 *
 * The cases are data, so any runner can register them, and documents can list them.
 */
export const transportContract: readonly TransportCase[] = [
  ...DELIVERY_CASES,
  ...ENDING_CASES,
  ...PRESSURE_CASES,
].toSorted((one, other) => lawOf(one) - lawOf(other));

function lawOf({ id }: TransportCase): number {
  return Number.parseInt(id.slice(1), 10);
}

/**
 * Registers every case with a test runner.
 *
 * ```ts
 * import { test } from "node:test";
 * runTransportContract((name, run) => void test(name, run), harness);
 * ```
 */
export function runTransportContract(
  test: (name: string, run: () => Promise<void>) => void,
  harness: TransportHarness,
): void {
  for (const { id, title, run } of transportContract) test(`${id} ${title}`, () => run(harness));
}
