import { test } from "node:test";
import { type ContractCase, type OfferingHarness, whyNotApplicable } from "./contract/index.js";

/**
 * Registers each case of a contract with `node:test`, named by its id and title. A case that does not apply is skipped
 * with the reason.
 *
 * ```ts
 * registerContract(transportContract, { connect, highWaterBytes, maxMessageBytes });
 * ```
 */
export function registerContract<Harness extends OfferingHarness>(
  cases: readonly ContractCase<Harness>[],
  harness: Harness,
): void {
  for (const contractCase of cases) {
    void test(`${contractCase.id} ${contractCase.title}`, async (context) => {
      const reason = await whyNotApplicable(contractCase, harness);
      if (reason !== undefined) context.skip(reason);
      else await contractCase.run(harness);
    });
  }
}
