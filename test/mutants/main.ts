/** Every mutant against the whole of its contract: prints which case caught it, and ends `N passed, N failed`. */
import { idleCases, judge, SUSPECTS, type Verdict } from "./judge.js";

/** Each one waits most of its time for what does not come. */
const AT_ONCE = 8;

const verdicts: Verdict[] = [];
const waiting = [...SUSPECTS];
async function worker(): Promise<void> {
  for (let suspect = waiting.shift(); suspect !== undefined; suspect = waiting.shift()) {
    verdicts.push(await judge(suspect));
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, worker));

for (const suspect of SUSPECTS) {
  const verdict = verdicts.find((one) => one.suspect === suspect);
  const failed = verdict?.failed.join(", ") || "nothing";
  const mark = verdict?.isCaught ? "caught" : "MISSED";
  console.log(`${mark}  ${suspect.name}  →  ${failed}`);
  if (!verdict?.isCaught) console.log(`        expected: ${suspect.caughtBy.join(", ")}`);
}
const idle = idleCases();
if (idle.length > 0) console.log(`cases that never catch anything: ${idle.join(", ")}`);
const passed = verdicts.filter(({ isCaught }) => isCaught).length;
const failed = verdicts.length - passed + idle.length;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
