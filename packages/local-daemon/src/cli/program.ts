import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { resolveStateDir } from "../rendezvous/index.js";
import { LOCAL_DAEMON_VERSION } from "../version.js";
import { serveEditor } from "./acp-command.js";
import { agents, login } from "./agents-command.js";
import { askOnTerminal } from "./answers.js";
import { checkConfig, reload, showConfig } from "./config-command.js";
import { EXIT } from "./fail.js";
import { sessions, status } from "./list-commands.js";
import { logs } from "./logs-command.js";
import { runPrompt } from "./run-command.js";
import { serve } from "./serve-command.js";
import { start } from "./start-command.js";
import { stop } from "./stop-command.js";
import { processTerminal } from "./terminal.js";
import { ticket } from "./ticket-command.js";

const AFTER_HELP = `
State (token, sessions, log, config.json) is in $DAEMON_SDK_HOME, else $XDG_STATE_HOME/daemon-sdk, else
~/.local/state/daemon-sdk. One daemon runs per state directory.

Exit codes: 0 done; 1 failed, or the turn did not complete; 2 wrong usage; 3 not running (status).`;

/** The command line; each command sets `process.exitCode`. `interrupted` is aborted at the first Ctrl-C. */
export function createProgram(interrupted: AbortSignal): Command {
  const program = new Command("local-daemon")
    .description("The daemon for coding agents on this machine: start it, look at it, run a prompt.")
    .version(LOCAL_DAEMON_VERSION)
    .showHelpAfterError("(local-daemon --help lists the commands)")
    .addHelpText("after", AFTER_HELP);
  addDaemonCommands(program);
  addSessionCommands(program, interrupted);
  addAgentCommands(program);
  addAcpCommand(program, interrupted);
  addConfigCommands(program);
  addServeCommand(program, interrupted);
  return program;
}

function addDaemonCommands(program: Command): void {
  program
    .command("start")
    .description("start the daemon, in the background unless told otherwise; nothing to do when one runs")
    .option("-f, --foreground", "stay in this terminal, stop with Ctrl-C", false)
    .option(
      "-p, --port <n>",
      "listen on 127.0.0.1:<n>, too (0: a free port; clients of the original use 37643)",
      portOf,
    )
    .action(async (options: { foreground: boolean; port?: number }) =>
      finish(await start({ ...common(), ...options })),
    );
  program
    .command("stop")
    .description("stop the daemon; running turns get a few seconds to finish")
    .option("--now", "interrupt running turns at once", false)
    .action(async (options: { now: boolean }) => finish(await stop({ ...common(), ...options })));
  program
    .command("status")
    .description("tell whether the daemon runs, and where")
    .addOption(json("one JSON object"))
    .action(async (options: { json: boolean }) => finish(await status({ ...common(), ...options })));
  program
    .command("ticket")
    .description("make a credential for one web page: good once, for a minute; the daemon must listen on a port")
    .addOption(json("one JSON object"))
    .addHelpText(
      "after",
      "\nThe page passes both to connectDaemon({ url, ticket }); its origin must be among allowedOrigins of config.json.",
    )
    .action(async (options: { json: boolean }) => finish(await ticket({ ...common(), ...options })));
}

function addSessionCommands(program: Command, interrupted: AbortSignal): void {
  program
    .command("run")
    .description("run one prompt in a new session and stream the answer; starts the daemon when none runs")
    .argument("<prompt>", "what to ask the agent")
    .option("-C, --cwd <directory>", "where the agent works", process.cwd())
    .option("-a, --agent <name>", "which configured agent; default the daemon's")
    .option("-y, --yes", "approve every permission request, once each", false)
    .addOption(json("one notification per line, then a result line; nothing is asked"))
    .addHelpText(
      "after",
      "\nCtrl-C interrupts the turn, a second one leaves. Without a terminal, requests are cancelled unless --yes.",
    )
    .action(async (prompt: string, options: { cwd: string; agent?: string; yes: boolean; json: boolean }) =>
      finish(
        await runPrompt({
          ...common(),
          ...options,
          cwd: resolve(options.cwd),
          prompt,
          ask: askOnTerminal,
          interrupted,
        }),
      ),
    );
  program
    .command("sessions")
    .description("list the sessions that the running daemon knows, newest first")
    .addOption(json("one JSON object per line"))
    .action(async (options: { json: boolean }) => finish(await sessions({ ...common(), ...options })));
  program
    .command("logs")
    .description("print the end of the daemon's log")
    .option("-f, --follow", "go on with what is written from now on", false)
    .option("-n, --lines <n>", "how many lines from the end", countOf, 50)
    .action(async (options: { follow: boolean; lines: number }) =>
      finish(await logs({ ...common(), ...options, interrupted })),
    );
}

function addAgentCommands(program: Command): void {
  const command = program
    .command("agents")
    .description("start each agent once and print what it offers: configured ones, and known ones on PATH")
    .addOption(json("one JSON object per line"))
    .action(async (options: { json: boolean }) => finish(await agents({ ...common(), ...options })));
  command
    .command("login")
    .description("run the login command of an agent in this terminal")
    .argument("<name>", "for example claude, codex, gemini, opencode")
    .action(async (name: string) => finish(await login({ ...common(), name })));
}

function addAcpCommand(program: Command, interrupted: AbortSignal): void {
  program
    .command("acp")
    .description("serve the daemon's sessions to an editor over the Agent Client Protocol, on stdin and stdout")
    .option("-a, --agent <name>", "agent of new sessions; default the daemon's")
    .option("--own-turns-only", "leave out the content of turns that other clients began", false)
    .addHelpText(
      "after",
      "\nFor Zed, JetBrains IDEs, acpx and others. An editor that is closed leaves its turns running; it loads the session again.",
    )
    .action(async (options: { agent?: string; ownTurnsOnly: boolean }) =>
      finish(await serveEditor({ ...common(), ...options, interrupted })),
    );
}

function addConfigCommands(program: Command): void {
  program
    .command("reload")
    .description("let the running daemon take over its changed configuration; sessions go on")
    .addOption(json("one JSON object"))
    .action(async (options: { json: boolean }) => finish(await reload({ ...common(), ...options })));
  const command = program.command("config").description("check or print the configuration");
  command
    .command("check")
    .description(
      "print everything that is wrong in a configuration file, with line and column; exit code 1 when something is",
    )
    .argument("[file]", "default: config.json in the state directory")
    .addOption(json("one JSON object"))
    .action(async (file: string | undefined, options: { json: boolean }) =>
      finish(await checkConfig({ ...common(), ...options, file })),
    );
  command
    .command("show")
    .description("print the values that a daemon starts with, defaults included, without secrets")
    .addOption(json("one JSON object on one line"))
    .action(async (options: { json: boolean }) => finish(await showConfig({ ...common(), ...options })));
}

function addServeCommand(program: Command, interrupted: AbortSignal): void {
  program
    .command("serve")
    .description("serve the daemon to programs in any language; needs the package @daemon-sdk/http")
    .option("--http", "sessions, events and webhooks over HTTP, for callers with a key of config.json", false)
    .option("-p, --port <n>", "listen on 127.0.0.1:<n> (0: a free port)", portOf, 0)
    .option("--webhook-origin <origins...>", "origins to which webhooks may be delivered; default none", [])
    .action(async (options: { http: boolean; port: number; webhookOrigin: string[] }) =>
      finish(await serve({ ...common(), ...options, interrupted })),
    );
}

function common() {
  return { stateDir: resolveStateDir(), terminal: processTerminal() };
}

function finish(code: number): void {
  process.exitCode = code;
}

function json(description: string): Option {
  return new Option("--json", description).default(false);
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}

function countOf(text: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("A number of lines is expected.");
}

/** Exit code of an error that commander has printed. Help and version are no errors. */
export function usageExitCode(exitCode: number): number {
  return exitCode === 0 ? EXIT.ok : EXIT.usage;
}
