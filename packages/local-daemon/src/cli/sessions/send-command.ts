import { createReadStream } from "node:fs";
import { addAbortSignal } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { DaemonError, METHODS, newId } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import type { CommandLine } from "../command-line.js";
import { callDaemon, type DaemonCall, LOCAL_TOKEN } from "../daemon-call.js";
import { EXIT } from "../fail.js";
import { SESSION_ARGUMENT, sessionIdOf } from "../session-argument.js";
import { DaemonReader } from "../session-reader.js";
import type { Terminal } from "../terminal.js";

/** Adds `send`. */
export function addSendCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "send",
      "queue a prompt in a session and return at once; follow, show and inbox tell what becomes of it",
    )
    .argument("<session>", SESSION_ARGUMENT)
    .argument("<prompt>", PROMPT_ARGUMENT)
    .option("--message-id <id>", "repeated with the same id and prompt, it is sent once")
    .action(
      cli.action(async (context, session: string, prompt: string, options: { messageId?: string }) =>
        send({ ...context, ...options, session, prompt: await promptOf(prompt, context.interrupted) }),
      ),
    );
}

/** How a command describes its argument `<prompt>`. */
export const PROMPT_ARGUMENT = "what to ask the agent; - reads it from stdin";

/** The prompt that an argument names. Rejects with the signal's reason when that is aborted before the end of stdin. */
export async function promptOf(argument: string, interrupted: AbortSignal): Promise<string> {
  if (argument !== "-") return argument;
  // At a terminal, Ctrl-D would end `process.stdin` for the questions of the turn, too.
  const input = process.stdin.isTTY ? createReadStream("", { fd: 0, autoClose: false }) : process.stdin;
  try {
    return await textOf(addAbortSignal(interrupted, input));
  } catch (error) {
    interrupted.throwIfAborted();
    throw error;
  }
}

/** Options of `local-daemon send`. */
export interface SendOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly session: string;
  readonly prompt: string;
  /** Default: a new id. */
  readonly messageId?: string | undefined;
}

/** Adds a message to a session. One that is closed is opened again. */
async function addMessage(
  { engine }: DaemonCall,
  message: { readonly sessionId: string; readonly text: string; readonly messageId: string },
): Promise<void> {
  try {
    await engine.request(METHODS.addUserMessage, message);
  } catch (error) {
    if (!DaemonError.is(error, "SESSION_CLOSED")) throw error;
    // Requests stay in the inbox: this connection ends at once, and answers none.
    const { sessionId } = message;
    await engine.request(METHODS.loadSession, { token: LOCAL_TOKEN, sessionId, messageLimit: 1, inbox: true });
    await engine.request(METHODS.addUserMessage, message);
  }
}

/** Queues a prompt. It is stored when this resolves, so the turn runs whatever happens to this process. */
export async function send(options: SendOptions): Promise<number> {
  const { stateDir, json, terminal, session, prompt: text, messageId = newId() } = options;
  await using reader = new DaemonReader(await callDaemon(stateDir, terminal));
  const sessionId = await sessionIdOf(session, () => reader.sessions());
  await addMessage(reader.call, { sessionId, text, messageId });
  if (json) terminal.json({ sessionId, messageId });
  else terminal.answer(`${messageId}\n`);
  return EXIT.ok;
}
