import type { Command } from "commander";
import { countOf } from "../arguments.js";
import type { CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { type ListedSession, openReader } from "../session-reader.js";
import { type Column, printTable } from "../table.js";
import type { Terminal } from "../terminal.js";
import { timeText } from "../time-text.js";

/** Adds `sessions`. */
export function addSessionsCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "sessions",
      "list sessions, newest first; without a daemon those in its store",
      "one JSON object per line",
    )
    .option("-n, --lines <n>", "how many of them", countOf)
    .option("--all", "also those that are archived", false)
    .action(cli.action((context, options: { lines?: number; all: boolean }) => sessions({ ...context, ...options })));
}

/** Options of `local-daemon sessions`. */
export interface SessionsOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
  /** Most sessions to list; default all. */
  readonly lines?: number | undefined;
  /** Whether archived sessions are listed. */
  readonly all: boolean;
}

/** Rows of one table: later ones have widths of their own, so that a long list begins at once. */
const TABLE_ROWS = 200;

/** Lists sessions, newest first. */
export async function sessions({ stateDir, json, terminal, lines, all }: SessionsOptions): Promise<number> {
  await using reader = await openReader({ stateDir, terminal });
  let left = lines ?? Number.POSITIVE_INFINITY;
  let rows: ListedSession[] = [];
  let found = 0;
  const print = () => {
    printTable(terminal, terminal.columns === undefined ? PIPED : SHOWN, rows);
    rows = [];
  };
  for await (const { sessionId, ...session } of reader.sessions()) {
    if (left <= 0) break;
    if (session.archivedAt !== undefined && !all) continue;
    left -= 1;
    found += 1;
    if (json) terminal.json({ sessionId, ...session });
    else rows.push({ sessionId, ...session });
    if (rows.length === TABLE_ROWS) print();
  }
  print();
  if (found === 0 && !json) terminal.answer("No sessions yet.\n");
  return EXIT.ok;
}

const STATE: Column<ListedSession> = {
  title: "STATE",
  text: ({ state, archivedAt }) => (archivedAt === undefined ? state : "archived"),
};
const TITLE: Column<ListedSession> = { title: "TITLE", text: ({ title = "" }) => title, isCut: true };
const DIRECTORY: Column<ListedSession> = { title: "DIRECTORY", text: ({ cwd = "" }) => cwd, isCut: true, style: "dim" };

/** At a terminal: the beginning of an id is enough for every command. */
const SHOWN: readonly Column<ListedSession>[] = [
  { title: "SESSION", text: ({ sessionId }) => sessionId.slice(0, 8), style: "cyan" },
  { title: "UPDATED", text: ({ updatedAt }) => timeText(updatedAt) },
  STATE,
  TITLE,
  DIRECTORY,
];

/** For programs. */
const PIPED: readonly Column<ListedSession>[] = [
  { title: "SESSION", text: ({ sessionId }) => sessionId },
  { title: "UPDATED", text: ({ updatedAt }) => timeText(updatedAt) },
  STATE,
  TITLE,
  DIRECTORY,
];
