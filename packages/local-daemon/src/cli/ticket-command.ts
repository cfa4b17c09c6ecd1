import { ConnectionError, METHODS } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import type { CommandLine } from "./command-line.js";
import { callRunningDaemon } from "./daemon-call.js";
import { EXIT } from "./fail.js";
import type { Terminal } from "./terminal.js";

/** Adds `ticket`. */
export function addTicketCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "ticket",
      "make a credential for one web page: good once, for a minute; the daemon must listen on a port",
    )
    .addHelpText(
      "after",
      "\nThe page passes both to connectDaemon({ url, ticket }); its origin must be among allowedOrigins of config.json.",
    )
    .action(cli.action((context) => ticket(context)));
}

/** `local-daemon ticket`. */
export interface TicketOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/**
 * Prints a ticket and its URL, for a page that is opened by hand (docs/protocol.md §3, "Tickets"). Rejects with
 * `DAEMON_NOT_RUNNING`, or with `CONNECTION_FAILED` when the daemon has no port: a page cannot connect to a unix socket.
 */
export async function ticket({ stateDir, json, terminal }: TicketOptions): Promise<number> {
  using call = await callRunningDaemon(stateDir);
  const { port } = call.endpoint;
  if (port === undefined) {
    throw new ConnectionError(
      "CONNECTION_FAILED",
      "The daemon listens on no port, so a page cannot reach it. " +
        'Stop it with "local-daemon stop" and start it with "local-daemon start --port 0".',
    );
  }
  const made = await call.engine.request(METHODS.createTicket, {});
  const url = `ws://127.0.0.1:${port}`;
  if (json) terminal.json({ ...made, url });
  else terminal.answer(`url     ${url}\nticket  ${made.ticket}\nuntil   ${new Date(made.expiresAt).toISOString()}\n`);
  return EXIT.ok;
}
