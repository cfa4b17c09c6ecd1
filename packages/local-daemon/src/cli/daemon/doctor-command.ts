import type { Command } from "commander";
import type { CommandContext, CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { type Finding, findings } from "./doctor-checks.js";

/** Adds `doctor`. */
export function addDoctorCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "doctor",
      "check what goes wrong in practice, and say how to mend it; exit code 1 when something is wrong",
      "one check per line",
    )
    .action(cli.action((context) => doctor(context)));
}

const MARKS = {
  ok: { mark: "ok     ", style: "green" },
  warning: { mark: "warning", style: "yellow" },
  failed: { mark: "failed ", style: "red" },
} as const;

/** Prints one finding after another. A warning is no failure: the daemon works. */
async function doctor({ stateDir, json, terminal }: CommandContext): Promise<number> {
  let hasFailed = false;
  using _progress = terminal.progress("Checking");
  for await (const finding of findings(stateDir)) {
    hasFailed ||= finding.state === "failed";
    if (json) terminal.json(finding);
    else print(finding);
  }
  return hasFailed ? EXIT.failed : EXIT.ok;

  function print({ check, state, message, remedy }: Finding): void {
    const { mark, style } = MARKS[state];
    terminal.answer(mark, style);
    terminal.answer(`  ${check.padEnd(17)}  ${message}\n`);
    if (remedy !== undefined) terminal.answer(`         ${" ".repeat(17)}  → ${remedy}\n`);
  }
}
