import { isRecord, type MessageBlock, type SessionMessage } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { countOf } from "../arguments.js";
import type { CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { SESSION_ARGUMENT, sessionIdOf } from "../session-argument.js";
import { openReader } from "../session-reader.js";
import type { Terminal } from "../terminal.js";
import { timeText } from "../time-text.js";
import { shortText } from "./turn-printer.js";

/** Adds `show`. */
export function addShowCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "show",
      "print a session and its newest messages; without a daemon those in its store",
      "the session, then a message per line",
    )
    .argument("<session>", SESSION_ARGUMENT)
    .option("-n, --messages <n>", "how many messages", countOf, 20)
    .action(
      cli.action((context, session: string, options: { messages: number }) =>
        show({ ...context, ...options, session }),
      ),
    );
}

/** Options of `local-daemon show`. */
export interface ShowOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly session: string;
  /** Newest messages to print. */
  readonly messages: number;
}

/** Prints a session's facts and its newest messages, oldest first. */
export async function show({ stateDir, json, terminal, session, messages: limit }: ShowOptions): Promise<number> {
  await using reader = await openReader({ stateDir, terminal });
  const id = await sessionIdOf(session, () => reader.sessions());
  const { sessionId, ...facts } = await reader.session(id);
  const messages = limit === 0 ? [] : await reader.messages(id, limit);
  const requests = await reader.requests(id);
  if (json) {
    terminal.json({ sessionId, ...facts, pendingRequests: requests.length });
    for (const message of messages) terminal.json({ sessionId, ...message });
    return EXIT.ok;
  }
  const { state, title, cwd, agent, updatedAt, archivedAt, messagesCount } = facts;
  const rows = { session: sessionId, title, directory: cwd, agent, state, updated: timeText(updatedAt) };
  for (const [name, value] of Object.entries({
    ...rows,
    archived: archivedAt === undefined ? undefined : timeText(archivedAt),
    messages: messagesCount,
  })) {
    if (value === undefined) continue;
    terminal.answer(name.padEnd(10), "dim");
    terminal.answer(`${value}\n`);
  }
  for (const message of messages) printMessage(terminal, message);
  if (requests.length > 0) terminal.note(`${requests.length} waiting for an answer: local-daemon inbox`, "yellow");
  return EXIT.ok;
}

/** Prints a message of a conversation. */
export function printMessage(terminal: Terminal, { role, content, createdAt }: SessionMessage): void {
  terminal.answer(`\n${role}`, "bold");
  terminal.answer(`  ${timeText(createdAt)}\n`, "dim");
  for (const block of content) {
    const text = blockText(block);
    if (text !== "") terminal.answer(`${text}\n`, block.type === "text" ? undefined : "dim");
  }
}

function blockText(block: MessageBlock): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "thinking":
      return `(thinking) ${shortText(block.thinking)}`;
    case "tool_use":
      return `· ${block.name} ${shortText(block.input)}`;
    case "tool_result":
      return `  ${block.isError === true ? "failed: " : "→ "}${shortText(resultText(block.content))}`;
    default:
      return `(${block.type})`;
  }
}

function resultText(content: unknown): string {
  if (!Array.isArray(content)) return typeof content === "string" ? content : "";
  return content.map((part: unknown) => (isRecord(part) && typeof part.text === "string" ? part.text : "")).join("");
}
