import { type DaemonError, ProcessExitError, ProtocolError, TimeoutError } from "@daemon-sdk/protocol";
import type { AgentExit } from "../agent.js";

/** What is known of a start that failed. */
export interface FailedStart {
  readonly agent: string;
  /** The call that opens the conversation, without prefix. */
  readonly method: string;
  readonly timeoutMs: number;
  /** What the agent wrote to stdout that was no message, and to stderr; may be empty. */
  readonly excerpt: string;
  readonly stderr: string;
}

/** The error of a start: that of the call, with what the agent said instead of an answer. */
export function startFailure(error: unknown, start: FailedStart): unknown {
  const { agent, method, timeoutMs, excerpt, stderr } = start;
  if (TimeoutError.is(error)) {
    const why = new TimeoutError(`The answer of agent "${agent}" to ${method}`, timeoutMs, { cause: error });
    return withWords(why, `${saidInstead(excerpt, stderr)} A slow program needs a larger startTimeoutMs.`);
  }
  // An error of the agent's own about the conversation says enough.
  if (!ProtocolError.is(error, "REMOTE_ERROR") || error.rpcCode === undefined) return error;
  return withWords(error, saidInstead(excerpt, stderr));
}

function saidInstead(excerpt: string, stderr: string): string {
  const stdout = excerpt === "" ? "It wrote no message to stdout." : `It wrote to stdout:\n${excerpt}`;
  return `${stdout} ${stderrText(stderr)}`;
}

function withWords<T extends DaemonError>(error: T, words: string): T {
  error.message = `${error.message} ${words}`;
  return error;
}

function stderrText(stderr: string): string {
  return stderr === "" ? "It wrote nothing to stderr." : `Its last words on stderr:\n${stderr}`;
}

/** The error of calls that got no answer because the agent died. */
export function exitError(agent: string, exit: AgentExit, cause: Error): ProcessExitError {
  return new ProcessExitError(`${exitText(agent, exit)} ${stderrText(exit.stderr)}`, { ...exit, cause });
}

/** How an agent ended, for people. */
export function exitText(agent: string, { exitCode, signal, expected }: AgentExit): string {
  if (expected) return `Agent "${agent}" was stopped.`;
  return `Agent "${agent}" ended by itself, ${signal === null ? `with exit code ${exitCode}` : `killed by ${signal}`}.`;
}
