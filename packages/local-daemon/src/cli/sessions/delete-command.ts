import { METHODS } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { type Ask, askOnTerminal } from "../answers.js";
import type { CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { SESSION_ARGUMENT, sessionIdOf } from "../session-argument.js";
import { runningReader } from "../session-reader.js";
import { printable, type Terminal } from "../terminal.js";

/** Adds `delete`. */
export function addDeleteCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "delete",
      "delete sessions for good: conversation, journal, receipts, and what the agent keeps where it can delete that",
      "one JSON object for each session; nothing is asked",
    )
    .argument("<session...>", SESSION_ARGUMENT)
    .option("-f, --force", "end turns that run or wait", false)
    .option("-y, --yes", "ask nothing", false)
    .action(
      cli.action((context, sessionIds: string[], options: { force: boolean; yes: boolean }) =>
        deleteSessions({ ...context, ...options, sessionIds, ask: askOnTerminal }),
      ),
    );
}

/** `local-daemon delete`. */
export interface DeleteOptions {
  readonly stateDir: string;
  /** Each as `sessionIdOf` takes it. */
  readonly sessionIds: readonly string[];
  /** Ends turns that run or wait. */
  readonly force: boolean;
  /** Asks nothing. */
  readonly yes: boolean;
  readonly json: boolean;
  readonly ask: Ask;
  readonly terminal: Terminal;
}

/** Deletes sessions of the running daemon, each one after the other. Asks first; no answer means no. */
export async function deleteSessions(options: DeleteOptions): Promise<number> {
  const { stateDir, force, yes, json, terminal } = options;
  await using reader = await runningReader(stateDir);
  const sessionIds: string[] = [];
  for (const text of options.sessionIds) sessionIds.push(await sessionIdOf(text, () => reader.sessions()));
  if (!yes && !json && !(await isConfirmed(options))) {
    terminal.answer("Nothing was deleted.\n");
    return EXIT.failed;
  }
  for (const sessionId of sessionIds) {
    await reader.call.engine.request(METHODS.deleteSession, { sessionId, ...(force && { force }) });
    if (json) terminal.json({ sessionId, deleted: true });
    else terminal.answer(`Deleted ${printable(sessionId)}.\n`);
  }
  return EXIT.ok;
}

async function isConfirmed({ sessionIds, ask }: DeleteOptions): Promise<boolean> {
  const what = sessionIds.length === 1 ? "this session" : `these ${sessionIds.length} sessions`;
  const answer = await ask(`Delete ${what} for good, conversation and all? [y/N] `, new AbortController().signal);
  return /^y(es)?$/i.test(answer?.trim() ?? "");
}
