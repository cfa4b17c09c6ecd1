/**
 * One promise of a contract, as data: any test runner can register it, a page can run it, a document can refer to it.
 *
 * `Harness` creates the implementation under test; each contract has its own type.
 */
export interface ContractCase<Harness = never> {
  /** Number of the law and a word, such as `T1-order` or `P7.2-queue`. Stable, so that documents can refer to it. */
  readonly id: string;
  /** The promise as a sentence. */
  readonly title: string;
  /** What the harness must offer for the case to apply, such as a capability. Default: nothing. */
  readonly needs?: readonly string[];
  /** Resolves when the promise is kept. Rejects with what was observed instead. */
  run(harness: Harness): Promise<void>;
}

/** What any harness may declare, in addition to the requirements of its contract. */
export interface OfferingHarness {
  /** What is available of the things that cases need. Without this method all of them count as available. */
  offers?(): Promise<ReadonlySet<string>>;
}

/** Result of one case. */
export type CaseResult = { readonly id: string; readonly title: string } & (
  | { readonly outcome: "passed" }
  /** `reason` is what was observed instead. */
  | { readonly outcome: "failed"; readonly reason: string; readonly error: unknown }
  /** `reason` names what is not offered. */
  | { readonly outcome: "skipped"; readonly reason: string }
);

/** Why a case does not apply: what it needs and the harness does not offer. Undefined when the case applies. */
export async function whyNotApplicable<Harness extends OfferingHarness>(
  { needs = [] }: ContractCase<Harness>,
  harness: Harness,
): Promise<string | undefined> {
  const offered = await harness.offers?.();
  const missing = offered === undefined ? [] : needs.filter((need) => !offered.has(need));
  return missing.length === 0 ? undefined : `not offered: ${missing.join(", ")}`;
}

/** Runs one case. Never rejects. */
export async function runCase<Harness extends OfferingHarness>(
  contractCase: ContractCase<Harness>,
  harness: Harness,
): Promise<CaseResult> {
  const { id, title } = contractCase;
  try {
    const reason = await whyNotApplicable(contractCase, harness);
    if (reason !== undefined) return { id, title, outcome: "skipped", reason };
    await contractCase.run(harness);
    return { id, title, outcome: "passed" };
  } catch (error) {
    return { id, title, outcome: "failed", reason: error instanceof Error ? error.message : String(error), error };
  }
}

/**
 * Runs cases one after the other and returns the result of each. For programs and pages without a test runner. With one,
 * see `@daemon-sdk/testing/vitest` and `@daemon-sdk/testing/node-test`.
 */
export async function runContract<Harness extends OfferingHarness>(
  cases: readonly ContractCase<Harness>[],
  harness: Harness,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const contractCase of cases) results.push(await runCase(contractCase, harness));
  return results;
}
