import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { METHODS, ProtocolError } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { STATE_FILES, writePrivateFile } from "../../rendezvous/index.js";
import type { CommandLine } from "../command-line.js";
import { callDaemon } from "../daemon-call.js";
import { EXIT } from "../fail.js";
import type { Terminal } from "../terminal.js";

/** Adds `open`. */
export function addOpenCommand(program: Command, cli: CommandLine): void {
  cli
    .command(program, "open", "open the console in a browser; starts the daemon when none runs")
    .option("--no-browser", "only print the link")
    .addHelpText(
      "after",
      "\nThe link works once, for a minute. The tab that it opened goes on working until it is closed.",
    )
    .action(cli.action((context, { browser }: { browser: boolean }) => openConsole({ ...context, browser })));
}

/** `local-daemon open`. */
export interface OpenOptions {
  readonly stateDir: string;
  /** Whether a browser may be started. */
  readonly browser: boolean;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Prints a link that opens the console once, and opens it in a browser where a person sits. Resolves with the exit code. */
export async function openConsole({ stateDir, browser, json, terminal }: OpenOptions): Promise<number> {
  using call = await callDaemon(stateDir);
  if (call.capabilities.console !== true) {
    const text = `The running daemon (version ${call.endpoint.version}) is older and has no console. Restart it.`;
    throw new ProtocolError("METHOD_NOT_FOUND", text);
  }
  const made = await call.engine.request(METHODS.openConsole, {});
  if (json) {
    terminal.json(made);
    return EXIT.ok;
  }
  terminal.answer(`${made.url}\n`);
  terminal.note("The link works once, for a minute.");
  const program = browser && terminal.isInteractive ? browserProgram() : undefined;
  if (program !== undefined) await startBrowser(program, stateDir, made.url, terminal);
  return EXIT.ok;
}

/** The program that opens a file in the person's browser; undefined where there is no screen. */
function browserProgram(): string | undefined {
  if (process.platform === "darwin") return "open";
  return process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? "xdg-open" : undefined;
}

/**
 * The link is in a file that only this user can read, and not among the arguments of a program, which every user of the machine can
 * list. The file is worth nothing after the link was used.
 */
async function startBrowser(program: string, stateDir: string, url: string, terminal: Terminal): Promise<void> {
  const path = join(stateDir, STATE_FILES.consoleLink);
  await writePrivateFile(
    path,
    `<!doctype html><meta http-equiv="refresh" content="0;url=${url}"><title>Console</title>\n`,
  );
  const child = spawn(program, [path], { stdio: "ignore", detached: true });
  await once(child, "spawn").catch(() => terminal.note(`${program} could not be started. Open the link yourself.`));
  child.unref();
}
