/**
 * One promise of a contract, as data: any runner can register it, a page can loop over it, a document can name it.
 *
 * `Harness` is what makes the thing under test; each contract has its own.
 */
export interface ContractCase<Harness = never> {
  /** Law and word, such as `T1-order` or `P7.2-queue`; stable, so that documents can name it. */
  readonly id: string;
  /** The promise as a sentence. */
  readonly title: string;
  /** What has to be offered for the promise to be made at all, such as a capability. Default: nothing. */
  readonly needs?: readonly string[];
  /** Resolves when the promise is kept, rejects with what was seen instead. */
  run(harness: Harness): Promise<void>;
}

/** What every harness may say beside what its contract asks for. */
export interface OfferingHarness {
  /** What there is of the things that cases need. Without it everything is taken for offered. */
  offers?(): Promise<ReadonlySet<string>>;
}

/** What became of one case. */
export type CaseResult = { readonly id: string; readonly title: string } & (
  | { readonly outcome: "passed" }
  /** `reason` is what was seen instead. */
  | { readonly outcome: "failed"; readonly reason: string; readonly error: unknown }
  /** `reason` names what is not offered. */
  | { readonly outcome: "skipped"; readonly reason: string }
);

/** Why a case does not apply to what the harness makes: what it needs and is not offered. Undefined when it applies. */
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
 * Runs cases one after the other and tells what became of each. For programs and pages without a test runner; with one,
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
