import { parseArgs } from "node:util";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import type { AgentPrompts } from "../agent/index.js";

/** How the agent to check is started and prompted. */
export interface CheckArguments {
  readonly command: readonly [string, ...string[]];
  readonly driver: "stream-jsonrpc" | "acp";
  readonly prompts: AgentPrompts;
  readonly keepsConversations: boolean;
  readonly patienceMs: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What `--help` prints, and what follows a usage error. */
export const USAGE = `Usage: npx @daemon-sdk/testing check-agent [options] [--] <command> [arguments...]

Runs the agent contract against the agent that the command starts, and prints each law with its result.

  --driver <name>        stream-jsonrpc (default) or acp
  --say <prompt>         a prompt that is answered with {}; default "Repeat this word and nothing else: {}"
  --endless <prompt>     a prompt that writes text and runs until it is cancelled
  --permission <prompt>  a prompt that requests one permission
  --question <prompt>    a prompt that asks one question (stream-jsonrpc)
  --keeps-conversations  a later process can load the conversation of an earlier one
  --cwd <directory>      where the agent works; default the present directory
  --env <NAME[=value]>   a variable of the agent's environment, beside PATH and HOME; may stand several times
  --patience <ms>        how long to wait for an expected message; default 30000

Laws whose prompt is absent are skipped. Exit code: 0 no law is broken, 1 some are, 2 wrong usage.
`;

const OPTIONS = {
  driver: { type: "string", default: "stream-jsonrpc" },
  say: { type: "string", default: "Repeat this word and nothing else: {}" },
  endless: { type: "string" },
  permission: { type: "string" },
  question: { type: "string" },
  "keeps-conversations": { type: "boolean", default: false },
  cwd: { type: "string" },
  env: { type: "string", multiple: true, default: [] as string[] },
  patience: { type: "string", default: "30000" },
} as const;

/** Reads the arguments behind `check-agent`. Throws an `InvalidOptionError`. */
export function parseArguments(args: readonly string[]): CheckArguments {
  const [ours, command] = split(args);
  const [program, ...rest] = command;
  if (program === undefined) throw new InvalidOptionError("command", "the program of an agent and its arguments");
  const values = valuesOf(ours);
  const { driver, say, endless, permission, question, patience, env, cwd = process.cwd() } = values;
  if (driver !== "stream-jsonrpc" && driver !== "acp") {
    throw new InvalidOptionError("--driver", "stream-jsonrpc or acp", driver);
  }
  const patienceMs = Number(patience);
  if (!(patienceMs >= 1)) throw new InvalidOptionError("--patience", "a number of milliseconds", patience);
  const prompts: AgentPrompts = {
    say: (word) => say.replaceAll("{}", word),
    ...(endless !== undefined && { endless }),
    ...(permission !== undefined && { permission }),
    ...(question !== undefined && { question }),
  };
  const keepsConversations = values["keeps-conversations"];
  return { command: [program, ...rest], driver, prompts, keepsConversations, patienceMs, cwd, env: variables(env) };
}

function valuesOf(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw new InvalidOptionError("arguments", `as in --help (${error instanceof Error ? error.message : "invalid"})`);
  }
}

/** Our own options, and the command: it begins at the first word that belongs to no option, and has options of its own. */
function split(args: readonly string[]): [ours: string[], command: string[]] {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const start = tokens.find(({ kind }) => kind !== "option");
  if (start === undefined) return [[...args], []];
  const isTerminator = start.kind === "option-terminator";
  return [args.slice(0, start.index), args.slice(start.index + (isTerminator ? 1 : 0))];
}

function variables(given: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const one of given) {
    const [name = "", ...value] = one.split("=");
    const set = value.length > 0 ? value.join("=") : process.env[name];
    if (set !== undefined) found[name] = set;
  }
  return found;
}
