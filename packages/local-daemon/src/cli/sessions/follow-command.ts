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
/** The same with `--until-idle`, where a session that does nothing may have become idle without an entry. */
const IDLE_CHECK_MS = 1_000;
/** Before every entry of a journal: epochs begin at 1. */
const BEGIN: Position = { epoch: 0, seq: 0 };
const AT_REST: ReadonlySet<string> = new Set(["idle", "closed"]);

/** Prints the events of a session. Attaches nothing, so nobody's requests come here. */
export async function follow(options: FollowOptions): Promise<number> {
  const { stateDir, json, terminal, interrupted, session, replay, untilIdle } = options;
  await using reader = await runningReader(stateDir);
  const { engine } = reader.call;
  const sessionId = await sessionIdOf(session, () => reader.sessions());
  const output = new EventOutput({ sessionId, json, terminal });
  let after: Position | undefined = replay ? BEGIN : undefined;
  let waitMs = untilIdle ? 0 : WAIT_MS;
  try {
    while (!interrupted.aborted) {
      const params = { sessionId, ...(after === undefined ? {} : { after, waitMs }) };
      const page = await engine.request(METHODS.getSessionEvents, params, { signal: interrupted });
      if (page.isIncomplete && after !== BEGIN)
        terminal.note("Events are missing here: the journal no longer has them.", "yellow");
      for (const { notification, turnId, epoch, seq } of page.events) {
        output.print(notification, { position: { epoch, seq }, ...(turnId === undefined ? {} : { turnId }) });
      }
      const isFirst = after === undefined;
      after = page.position;
      if (!untilIdle) continue;
      if (!isFirst && page.events.length === 0 && AT_REST.has(await reader.stateOf(sessionId))) return EXIT.ok;
      const hasEnded = page.events.some(({ notification }) => notification.type === "agent_turn_completed");
      waitMs = isFirst || hasEnded ? 0 : IDLE_CHECK_MS;
    }
  } catch (error) {
    if (!interrupted.aborted) throw error;
  } finally {
    output.end();
  }
  return EXIT.interrupted;
}
