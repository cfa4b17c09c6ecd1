import { METHODS, type Position } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import type { CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { SESSION_ARGUMENT, sessionIdOf } from "../session-argument.js";
import { runningReader } from "../session-reader.js";
import type { Terminal } from "../terminal.js";
import { EventOutput } from "./event-output.js";

/** Adds `follow`. */
export function addFollowCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "follow",
      "print what happens in a session, whoever works in it, until Ctrl-C",
      "one event per line",
    )
    .argument("<session>", SESSION_ARGUMENT)
    .option("--replay", "begin with what the journal still has", false)
    .option("--until-idle", "end with the turn that runs, or at once when none does", false)
    .action(
      cli.action(
        (context, session: string, options: { replay: boolean; untilIdle: boolean }) =>
          follow({ ...context, ...options, session }),
        "abort",
      ),
    );
}

/** Options of `local-daemon follow`. */
export interface FollowOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly interrupted: AbortSignal;
  readonly session: string;
  /** Begin at the oldest entry of the journal instead of its end. */
  readonly replay: boolean;
  /** End when the session is idle. */
  readonly untilIdle: boolean;
}

/** How long one call waits for the next entry. */
const WAIT_MS = 30_000;
/** Before every entry of a journal: epochs begin at 1. */
const BEGIN: Position = { epoch: 0, seq: 0 };

/** Prints the events of a session. Attaches nothing, so nobody's requests come here. */
export async function follow(options: FollowOptions): Promise<number> {
  const { stateDir, json, terminal, interrupted, session, replay, untilIdle } = options;
  await using reader = await runningReader(stateDir);
  const { engine } = reader.call;
  const sessionId = await sessionIdOf(session, () => reader.sessions());
  const output = new EventOutput({ sessionId, json, terminal });
  let after: Position | undefined = replay ? BEGIN : undefined;
  try {
    while (!interrupted.aborted) {
      const params = { sessionId, ...(after === undefined ? {} : { after, waitMs: untilIdle ? 0 : WAIT_MS }) };
      const page = await engine.request(METHODS.getSessionEvents, params, { signal: interrupted });
      if (page.isIncomplete && after !== BEGIN)
        terminal.note("Events are missing here: the journal no longer has them.", "yellow");
      for (const { notification, turnId, epoch, seq } of page.events) {
        output.print(notification, { position: { epoch, seq }, ...(turnId === undefined ? {} : { turnId }) });
      }
      const isFirst = after === undefined;
      after = page.position;
      if (untilIdle && !isFirst && page.events.length === 0) {
        const { state } = await reader.session(sessionId);
        if (state === "idle" || state === "closed") return EXIT.ok;
      }
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  } finally {
    output.end();
  }
  return EXIT.interrupted;
}
