import { METHODS } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import type { CommandContext, CommandLine } from "../command-line.js";
import type { DaemonCall } from "../daemon-call.js";
import { EXIT } from "../fail.js";
import { SESSION_ARGUMENT, sessionIdOf } from "../session-argument.js";
import { runningReader } from "../session-reader.js";

/** Adds `interrupt`. */
export function addInterruptCommand(program: Command, cli: CommandLine): void {
  cli
    .command(program, "interrupt", "interrupt the running turn of a session; the session and its queue stay")
    .argument("<session>", SESSION_ARGUMENT)
    .action(
      cli.action((context, session: string) =>
        change(context, session, async ({ engine }, sessionId) => {
          await engine.request(METHODS.interruptSession, { sessionId });
          return { text: "Interrupted.", facts: { interrupted: true } };
        }),
      ),
    );
}

/** Adds `close`. */
export function addCloseCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "close",
      "close a session and end its agent; its history stays, and the next message opens it again",
    )
    .argument("<session>", SESSION_ARGUMENT)
    .action(
      cli.action((context, session: string) =>
        change(context, session, async ({ engine }, sessionId) => {
          await engine.request(METHODS.closeSession, { sessionId });
          return { text: "Closed.", facts: { closed: true } };
        }),
      ),
    );
}

/** Adds `archive`. */
export function addArchiveCommand(program: Command, cli: CommandLine): void {
  cli
    .command(program, "archive", "take a session out of the list; nothing of it is lost")
    .argument("<session>", SESSION_ARGUMENT)
    .option("--undo", "list it again", false)
    .action(
      cli.action((context, session: string, { undo }: { undo: boolean }) =>
        change(context, session, async ({ engine }, sessionId) => {
          if (undo) {
            await engine.request(METHODS.unarchiveSession, { sessionId });
            return { text: "Listed again.", facts: { archived: false } };
          }
          const { archivedAt } = await engine.request(METHODS.archiveSession, { sessionId });
          return { text: "Archived.", facts: { archived: true, archivedAt: Date.parse(archivedAt) } };
        }),
      ),
    );
}

/** Adds `fork`. */
export function addForkCommand(program: Command, cli: CommandLine): void {
  cli
    .command(program, "fork", "begin a new session with the history of another one, and print its id")
    .argument("<session>", SESSION_ARGUMENT)
    .option("-t, --title <text>", "title of the new session")
    .action(
      cli.action((context, session: string, { title }: { title?: string }) =>
        change(context, session, async ({ engine }, sessionId) => {
          using _progress = context.terminal.progress("Copying the session");
          const params = { sessionId, ...(title === undefined ? {} : { title }) };
          const { newSessionId } = await engine.request(METHODS.forkSession, params);
          return { text: newSessionId, facts: { newSessionId } };
        }),
      ),
    );
}

/** What a command did: for people, and as the fields of its JSON. */
interface Change {
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Does something to a session of the running daemon, and prints it. */
async function change(
  { stateDir, json, terminal }: CommandContext,
  session: string,
  apply: (call: DaemonCall, sessionId: string) => Promise<Change>,
): Promise<number> {
  await using reader = await runningReader(stateDir);
  const sessionId = await sessionIdOf(session, () => reader.sessions());
  const { text, facts } = await apply(reader.call, sessionId);
  if (json) terminal.json({ sessionId, ...facts });
  else terminal.answer(`${text}\n`);
  return EXIT.ok;
}
