import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import { type CaseResult, runCase } from "../../contract/index.js";
import { acpAgentContract } from "../acp/index.js";
import { agentContract, agentHarness } from "../agent/index.js";
import { type CheckArguments, parseArguments, USAGE } from "./arguments.js";

/** Exit codes of the command. */
const EXIT = { kept: 0, broken: 1, usage: 2 } as const;

const COMMAND = "check-agent";

/**
 * The command line of this package. Resolves with the exit code.
 *
 * @param print writes to stdout
 */
export async function runCheckAgent(
  [command, ...args]: readonly string[],
  print: (text: string) => void,
): Promise<number> {
  if (command === "--help" || (command === COMMAND && args[0] === "--help")) {
    print(USAGE);
    return EXIT.kept;
  }
  try {
    if (command !== COMMAND) throw new InvalidOptionError("command", COMMAND);
    return await check(parseArguments(args), print);
  } catch (error) {
    if (!InvalidOptionError.is(error)) throw error;
    print(`${error.message}\n\n${USAGE}`);
    return EXIT.usage;
  }
}

/** Runs each law in order, and prints its result when it is known. */
async function check(options: CheckArguments, print: (text: string) => void): Promise<number> {
  const { command, driver, prompts, keepsConversations, patienceMs, cwd, env } = options;
  const state = await mkdtemp(join(tmpdir(), "check-agent-"));
  try {
    const harness = agentHarness(command, {
      ...{ prompts, keepsConversations, patienceMs },
      workingDirectory: cwd,
      env: { DAEMON_SDK_AGENT_STATE: state, ...env },
    });
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const one of driver === "acp" ? acpAgentContract : agentContract) {
      const result = await runCase(one, harness);
      counts[result.outcome] += 1;
      print(`${lineOf(result)}\n`);
    }
    if (counts.skipped > 0) print(`${counts.skipped} skipped: see --help for the prompts that they need\n`);
    print(`${counts.passed} passed, ${counts.failed} failed\n`);
    return counts.failed === 0 ? EXIT.kept : EXIT.broken;
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

const WORDS = { passed: "ok", failed: "failed", skipped: "skipped" } as const;

function lineOf(result: CaseResult): string {
  const head = `${WORDS[result.outcome].padEnd(8)} ${result.id}: ${result.title}`;
  if (result.outcome === "passed") return head;
  return result.outcome === "skipped" ? `${head} (${result.reason})` : `${head}\n         ${result.reason}`;
}
