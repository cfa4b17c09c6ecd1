import { randomInt } from "node:crypto";
import { daemonContract, runContract } from "@daemon-sdk/testing";
import { acpAgentContract, agentContract } from "@daemon-sdk/testing/node";
import { describe, expect, test, vi } from "vitest";
import { idleCases, isNamedIn, judge, judgeTransport, PATIENT_MS, SUSPECTS } from "./judge.js";
import { sinfulAcpHarness } from "./sinful-acp-agent.js";
import { sinfulAgentHarness } from "./sinful-agent.js";
import { sinfulHarness } from "./sinful-daemon.js";
import { connectMutant, Passing } from "./transport-mutants.js";

/** Of the cases that do not name the sin, how many a run tries; `npm run test:mutants` tries all of them. */
const SAMPLE = 0.1;
/** A case that has to fail waits most of its time for what does not come. */
vi.setConfig({ maxConcurrency: 24 });

const seed = randomInt(1_000_000);

describe(`a broken law is noticed by the case that names it, and by none that has nothing to do with it (seed ${seed})`, () => {
  test.concurrent.each(SUSPECTS.map((suspect, index) => ({ name: suspect.name, suspect, index })))(
    "$name",
    async ({ suspect, index }) => {
      const isWanted = (id: string) => isNamedIn(suspect.caughtBy.slice(0, 1), id) || sampled(`${seed}/${index}/${id}`);
      const verdict = await judge(suspect, isWanted);
      expect(verdict.isCaught, `failed: ${verdict.failed.join(", ")}`).toBe(true);
    },
  );
});

test("each case is the one that names some sin", () => {
  expect(idleCases()).toEqual([]);
});

test("what mutants are made of keeps every law", async () => {
  expect(await judgeTransport(() => connectMutant({ sin: "", caughtBy: [], End: Passing }))).toEqual([]);
  const results = await runContract(daemonContract, sinfulHarness({}, PATIENT_MS));
  results.push(
    ...(await runContract(
      agentContract,
      sinfulAgentHarness(() => ({}), PATIENT_MS),
    )),
  );
  results.push(
    ...(await runContract(
      acpAgentContract,
      sinfulAcpHarness(() => ({}), PATIENT_MS),
    )),
  );
  expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
});

/** Whether a word is in the sample: always the same for one word. */
function sampled(word: string): boolean {
  let hash = 0;
  for (const char of word) hash = (Math.imul(hash, 31) + (char.codePointAt(0) ?? 0)) >>> 0;
  return (hash % 1_000) / 1_000 < SAMPLE;
}
