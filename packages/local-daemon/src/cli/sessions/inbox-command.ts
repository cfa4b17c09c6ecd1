import type { InboxRequest } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import type { CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { SESSION_ARGUMENT, sessionIdOf } from "../session-argument.js";
import { openReader } from "../session-reader.js";
import { type Column, printTable } from "../table.js";
import type { Terminal } from "../terminal.js";
import { timeText } from "../time-text.js";
import { describeToolUse } from "../tool-use-text.js";

/** Adds `inbox`. */
export function addInboxCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "inbox",
      "list what agents wait for: permissions and questions, oldest first; answer one with `answer`",
      "one request per line, with everything that the agent sent",
    )
    .option("-s, --session <session>", `only those of one session: ${SESSION_ARGUMENT}`)
    .action(cli.action((context, options: { session?: string }) => inbox({ ...context, ...options })));
}

/** Options of `local-daemon inbox`. */
export interface InboxOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly session?: string | undefined;
}

/** Lists the requests that wait for an answer. */
export async function inbox({ stateDir, json, terminal, session }: InboxOptions): Promise<number> {
  await using reader = await openReader({ stateDir, terminal });
  const id = session === undefined ? undefined : await sessionIdOf(session, () => reader.sessions());
  const requests = await reader.requests(id);
  if (json) for (const { sessionId, ...request } of requests) terminal.json({ sessionId, ...request });
  else if (requests.length === 0) terminal.answer("Nothing waits for an answer.\n");
  else printTable(terminal, terminal.columns === undefined ? PIPED : SHOWN, requests);
  return EXIT.ok;
}

/** What a request is about, in one line. */
export function requestText(request: InboxRequest): string {
  if (request.method === "request_permission") return request.params.toolUses.map(describeToolUse).join("; ");
  return request.params.questions.map(({ question }) => question).join(" ");
}

const KIND: Column<InboxRequest> = {
  title: "KIND",
  text: ({ method }) => (method === "request_permission" ? "permission" : "question"),
};
const WHAT: Column<InboxRequest> = { title: "WHAT", text: requestText, isCut: true };

const SHOWN: readonly Column<InboxRequest>[] = [
  { title: "REQUEST", text: ({ requestId }) => requestId.slice(0, 8), style: "cyan" },
  { title: "SESSION", text: ({ sessionId }) => sessionId.slice(0, 8) },
  { title: "SINCE", text: ({ createdAt }) => timeText(createdAt) },
  KIND,
  WHAT,
];

const PIPED: readonly Column<InboxRequest>[] = [
  { title: "REQUEST", text: ({ requestId }) => requestId },
  { title: "SESSION", text: ({ sessionId }) => sessionId },
  { title: "SINCE", text: ({ createdAt }) => timeText(createdAt) },
  KIND,
  WHAT,
];
