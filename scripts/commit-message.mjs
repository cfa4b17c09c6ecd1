/**
 * `node scripts/commit-message.mjs FILE`: whether the commit message in FILE keeps the rules of CONTRIBUTING.md.
 *
 * The hook `scripts/hooks/commit-msg` calls it; git then refuses a commit whose message does not. Node built-ins only.
 */
import { readFileSync } from "node:fs";

/** What `git log --oneline` shows beside the hash in 80 columns. */
const MAX_SUBJECT = 72;
/** Messages that git writes itself, or that a rebase folds into another commit. */
const WRITTEN_BY_GIT = /^(Merge |Revert "|(fixup|squash|amend)! )/;
/** Below this line `git commit --verbose` shows the change. */
const SCISSORS = /^# -+ >8 -+$/;

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error("Usage: node scripts/commit-message.mjs FILE");
  process.exit(2);
}
const faults = faultsOf(readFileSync(file, "utf8"));
for (const fault of faults) console.error(`Commit message: ${fault}`);
if (faults.length > 0) console.error("The rules are in CONTRIBUTING.md, under “Commits and releases”.");
process.exitCode = faults.length === 0 ? 0 : 1;

function faultsOf(text) {
  const [subject = "", second = ""] = linesOf(text);
  if (subject === "") return ["the subject is empty. Say in one line what the commit changes."];
  if (WRITTEN_BY_GIT.test(subject)) return [];
  const faults = [];
  const length = [...subject].length;
  if (length > MAX_SUBJECT) {
    faults.push(
      `the subject has ${length} characters, at most ${MAX_SUBJECT} fit. Reasons and figures go in the body.`,
    );
  }
  if (subject.endsWith(".")) faults.push("the subject ends with a period. Leave it out.");
  if (second !== "") faults.push("the second line is not blank. A blank line parts the subject from the body.");
  return faults;
}

/** The lines that git keeps: no comments, nothing below the scissors, no blank line at the start. */
function linesOf(text) {
  const lines = text.split(/\r?\n/);
  const end = lines.findIndex((line) => SCISSORS.test(line));
  const kept = lines.slice(0, end === -1 ? lines.length : end).filter((line) => !line.startsWith("#"));
  const trimmed = kept.map((line) => line.trimEnd());
  return trimmed.slice(trimmed.findIndex((line) => line !== ""));
}
