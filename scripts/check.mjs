/**
 * `npm run check`: lint and format, types, package checks, unused code, architecture. Ends with the line
 * `N passed, N failed`.
 *
 * Every step runs, also after a failure, so that one run reports all. A step's output is shown only when it fails.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { capture, ROOT, seconds } from "./run.mjs";

const PACKAGES = readdirSync(join(ROOT, "packages")).map((name) => ({ name, cwd: join(ROOT, "packages", name) }));

const STEPS = [
  { title: "Lint and format (biome)", command: "biome", args: ["check", "--error-on-warnings", "."] },
  {
    title: "Types of the packages (tsc)",
    command: "turbo",
    args: ["run", "typecheck", "--output-logs=errors-only", "--no-update-notifier"],
  },
  { title: "Types of test and bench (tsc)", command: "tsc", args: ["-p", "tsconfig.json"] },
  ...PACKAGES.map(({ name, cwd }) => ({
    title: `Manifest of ${name} (publint)`,
    command: "publint",
    args: ["--strict"],
    cwd,
  })),
  ...PACKAGES.map(({ name, cwd }) => ({
    title: `Entries of ${name} (attw)`,
    command: "attw",
    args: ["--pack", ".", "--profile", "node16"],
    cwd,
  })),
  { title: "Notices of what is bundled", command: process.execPath, args: ["scripts/notices.mjs", "--check"] },
  { title: "Unused code (knip)", command: "knip", args: [] },
  {
    title: "Architecture and house style (vitest)",
    command: "vitest",
    args: ["run", "test/architecture.test.ts", "test/house-style.test.ts"],
  },
];

const failed = [];
let passed = 0;
// Whatever ends this, the last line has the counts: a build that fails ends the process at once.
process.once("exit", () => console.log(`${passed} passed, ${Math.max(failed.length, passed === 0 ? 1 : 0)} failed`));

await build();
for (const { title, command, args, cwd } of STEPS) {
  const { code, output, ms } = await capture(command, args, cwd ? { cwd } : {});
  console.log(`${code === 0 ? "ok  " : "FAIL"} ${title}, ${seconds(ms)}`);
  if (code === 0) passed += 1;
  else {
    failed.push(title);
    console.log(`\n${output}\n`);
  }
}
if (failed.length > 0) console.log(`Failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
