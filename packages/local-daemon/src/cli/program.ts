import { Command, CommanderError } from "commander";
import { LOCAL_DAEMON_VERSION } from "../version.js";
import { addAcpCommand } from "./acp-command.js";
import { type AddCommands, CommandLine } from "./command-line.js";
import { addCompletionCommands } from "./completion-command.js";
import { addAgentsCommand, addConfigCommands, addReloadCommand, addTokenCommands } from "./configuration/index.js";
import {
  addDoctorCommand,
  addLogsCommand,
  addOpenCommand,
  addRestartCommand,
  addStartCommand,
  addStatusCommand,
  addStopCommand,
  addTailMetricsCommand,
} from "./daemon/index.js";
import { addExportCommand } from "./export-command.js";
import { EXIT, type JsonFailure } from "./fail.js";
import { addFleetCommands } from "./fleet/index.js";
import { addRestoreCommand } from "./restore-command.js";
import { addServeCommand } from "./serve-command.js";
import { addServiceCommands } from "./service-command.js";
import {
  addAnswerCommand,
  addArchiveCommand,
  addCloseCommand,
  addDeleteCommand,
  addFollowCommand,
  addForkCommand,
  addInboxCommand,
  addInterruptCommand,
  addRunCommand,
  addSendCommand,
  addSessionsCommand,
  addShowCommand,
} from "./sessions/index.js";
import { processTerminal } from "./terminal.js";
import { addTicketCommand } from "./ticket-command.js";

/** All commands, under the headings of the help and in its order. A command is added by one line here. */
const GROUPS: Readonly<Record<string, readonly AddCommands[]>> = {
  "Daemon:": [
    addStartCommand,
    addStopCommand,
    addRestartCommand,
    addStatusCommand,
    addDoctorCommand,
    addLogsCommand,
    addTailMetricsCommand,
    addServiceCommands,
    addOpenCommand,
  ],
  "Sessions:": [
    addRunCommand,
    addSendCommand,
    addSessionsCommand,
    addShowCommand,
    addFollowCommand,
    addInboxCommand,
    addAnswerCommand,
    addInterruptCommand,
    addForkCommand,
    addCloseCommand,
    addArchiveCommand,
    addDeleteCommand,
  ],
  "Storage:": [addExportCommand, addRestoreCommand],
  "Configuration:": [addAgentsCommand, addConfigCommands, addReloadCommand, addTokenCommands],
  "Other programs:": [addTicketCommand, addAcpCommand, addServeCommand, addFleetCommands, addCompletionCommands],
};

const AFTER_HELP = `
State (token, sessions, log, config.json) is in $DAEMON_SDK_HOME, else $XDG_STATE_HOME/daemon-sdk, else
~/.local/state/daemon-sdk. One daemon runs per state directory.

With --json, every line of stdout is one JSON object; the last one may be {"error": {"code", "message", "retryable"}}.
Colours and widths are those of the terminal; NO_COLOR and TERM=dumb are respected.

Exit codes: 0 done; 1 failed, or the turn did not complete; 2 wrong usage or configuration; 3 no daemon runs; 4 the turn completed and a
request of its agent was refused; 130 Ctrl-C; 141 nobody reads the output any more.`;

/** The command line, with every command in it. */
export function createProgram(): Command {
  const program = new Command("local-daemon")
    .description("The daemon for coding agents on this machine: start it, look at it, run a prompt.")
    .version(LOCAL_DAEMON_VERSION)
    .showHelpAfterError("(local-daemon --help lists the commands)")
    .addHelpText("after", AFTER_HELP);
  program.addHelpCommand(
    new Command("help").argument("[command]").description("print the help of a command").helpGroup("Other programs:"),
  );
  const cli = new CommandLine();
  for (const [heading, commands] of Object.entries(GROUPS)) {
    program.commandsGroup(heading);
    for (const add of commands) add(program, cli);
  }
  return program;
}

/** Runs the command of `argv`, and sets `process.exitCode`. Without any, the help is printed. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = createProgram();
  const isJson = argv.includes("--json");
  prepare(program, isJson);
  try {
    await program.parseAsync(argv.length === 0 ? ["--help"] : argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (isJson && error.exitCode !== 0) processTerminal().json(usageFailure(error));
  }
}

/** Errors of usage are thrown, and with `--json` not printed as text. */
function prepare(command: Command, isJson: boolean): void {
  command.exitOverride();
  if (isJson) command.configureOutput({ outputError: () => {}, writeErr: () => {} });
  for (const each of command.commands) prepare(each, isJson);
}

function usageFailure({ message }: CommanderError): JsonFailure {
  return { error: { code: "INVALID_OPTION", message: message.replace(/^error: /, ""), retryable: false } };
}
