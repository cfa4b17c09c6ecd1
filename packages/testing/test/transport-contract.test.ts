import { describe, expect, test } from "vitest";
import { transportContract } from "../src/index.js";
import { bounds, connectMutant, MUTANTS, Passing } from "./mutants.js";

/** Ids of the cases that a transport fails, sorted. Patience is short, since what a mutant leaves out never comes. */
async function failures(connect: () => ReturnType<typeof connectMutant>): Promise<string[]> {
  const failed: string[] = [];
  for (const { id, run } of transportContract) {
    const passed = run({ ...bounds, patienceMs: 1_000, connect: async () => connect() }).then(
      () => true,
      () => false,
    );
    if (!(await passed)) failed.push(id);
  }
  return failed.sort((one, other) => one.localeCompare(other));
}

describe("a broken promise is noticed by the case that names it, and by no other law", () => {
  for (const mutant of MUTANTS) {
    test.concurrent(`${mutant.caughtBy.join(", ")}: a transport that ${mutant.sin}`, async () => {
      expect(await failures(() => connectMutant(mutant))).toEqual(mutant.caughtBy);
    });
  }
});

test("the ends that mutants are made of keep every promise", async () => {
  expect(await failures(() => connectMutant({ sin: "", caughtBy: [], End: Passing }))).toEqual([]);
});
