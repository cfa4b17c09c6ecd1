import { stat } from "node:fs/promises";
import { ProcessExitError } from "@daemon-sdk/protocol";
import type { AgentSpec } from "./agent.js";

/** What to do about each reason the system gives; any other reason is passed on as the system gave it. */
const ADVICE = new Map<string, (program: string, agent: string) => string>([
  [
    "ENOENT",
    (program, agent) => `There is no program "${program}". Install it, or correct the command of agent "${agent}".`,
  ],
  [
    "ENOTDIR",
    (program, agent) => `There is no program "${program}". Install it, or correct the command of agent "${agent}".`,
  ],
  ["EACCES", (program) => `"${program}" may not be executed. Make it executable (chmod +x), or name another program.`],
  ["EPERM", (program) => `"${program}" may not be executed by this user.`],
  [
    "EMFILE",
    () => "The daemon has too many open files. Close sessions, or raise the limit (ulimit -n) and restart it.",
  ],
  ["ENFILE", () => "The system has too many open files. Close other programs, or raise its limit."],
  ["EAGAIN", () => "There are too many processes. Close sessions, or raise the limit (ulimit -u)."],
  ["E2BIG", (_, agent) => `Arguments and environment are too long. Shorten the command or env of agent "${agent}".`],
]);

/**
 * The error (`PROCESS_START_FAILED`) for an agent that could not be started: which program, why, and what to do.
 *
 * The system says ENOENT for a missing program and for a missing directory alike, so the directory is looked at first.
 */
export async function processStartError(spec: AgentSpec, cwd: string, cause: unknown): Promise<ProcessExitError> {
  const program = spec.command[0];
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const reason =
    (await directoryFault(cwd, spec.cwd !== undefined)) ??
    ADVICE.get(code)?.(program, spec.name) ??
    `The system says: ${cause instanceof Error ? cause.message : String(cause)}.`;
  return new ProcessExitError(`Agent "${spec.name}" could not be started in ${cwd}. ${reason}`, {
    code: "PROCESS_START_FAILED",
    exitCode: null,
    signal: null,
    cause,
  });
}

async function directoryFault(cwd: string, isConfigured: boolean): Promise<string | undefined> {
  const other = isConfigured ? "mend `cwd` of the agent in the configuration" : "start the session with another cwd";
  try {
    if ((await stat(cwd)).isDirectory()) return undefined;
    return `That is not a directory. Name one: ${other}.`;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EMFILE") return undefined;
    return `There is no such directory, or it cannot be read. Create it, or ${other}.`;
  }
}
