import { realpathSync } from "node:fs";
import { ConnectionError, InvalidOptionError } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { probeLocalDaemon } from "../rendezvous/index.js";
import {
  installService,
  type RunCommand,
  runCommand,
  type ServiceManager,
  serviceManager,
  serviceProgram,
  serviceStatus,
  uninstallService,
} from "../service/index.js";
import { portOf } from "./arguments.js";
import type { CommandContext, CommandLine } from "./command-line.js";
import { EXIT } from "./fail.js";

/** Adds `service`. */
export function addServiceCommands(program: Command, cli: CommandLine): void {
  const service = program
    .command("service")
    .description("run the daemon as a service of this user: systemd on Linux, launchd on macOS");
  cli
    .command(service, "install", "write the service's file, and start the service now and at each log-in")
    .option("-p, --port <n>", "listen on 127.0.0.1:<n>, too", portOf)
    .option("--node-options <options>", "options of Node, such as --import=/etc/otel.mjs")
    .option("--print", "print the file, and change nothing", false)
    .action(cli.action((context, options: InstallOptions) => install(context, options)));
  cli
    .command(service, "uninstall", "stop the service, and remove its file")
    .action(cli.action((context) => uninstall(context)));
  cli
    .command(service, "status", "tell whether the service is installed, and whether it runs")
    .action(cli.action((context) => status(context)));
}

/** Options of `service install`. */
export interface InstallOptions {
  readonly port?: number | undefined;
  readonly nodeOptions?: string | undefined;
  readonly print: boolean;
}

/** What the commands work with beside their context. */
interface Parts {
  readonly manager: ServiceManager;
  readonly run: RunCommand;
}

/** Prints or installs the service. Rejects with `DAEMON_ALREADY_RUNNING` while a daemon runs that is not the service. */
export async function install(
  { stateDir, json, terminal }: CommandContext,
  { port, nodeOptions, print }: InstallOptions,
  { manager, run }: Parts = ours(),
): Promise<number> {
  const program = serviceProgram({ stateDir, port, nodeOptions, program: realpathSync(process.argv[1] ?? "") });
  if (print) {
    const text = manager.text(program);
    if (json) terminal.json({ path: manager.path, text });
    else terminal.answer(text);
    return EXIT.ok;
  }
  const running = await probeLocalDaemon(stateDir);
  running?.link.transport.terminate();
  const { isRunning } = await serviceStatus(manager, run);
  if (running !== undefined && !isRunning) {
    const text = 'A daemon runs already, which the service could not be. Stop it first with "local-daemon stop".';
    throw new ConnectionError("DAEMON_ALREADY_RUNNING", text);
  }
  await installService(manager, program, run);
  if (json) terminal.json({ installed: true, path: manager.path });
  else terminal.answer(`Installed and started: ${manager.path}\n`);
  if (manager.name === "systemd")
    terminal.note("Services of a user end with the log-out; `loginctl enable-linger` keeps them running.");
  return EXIT.ok;
}

/** Stops and removes the service. */
export async function uninstall({ json, terminal }: CommandContext, { manager, run }: Parts = ours()): Promise<number> {
  const wasThere = await uninstallService(manager, run);
  if (json) terminal.json({ uninstalled: wasThere, path: manager.path });
  else terminal.answer(wasThere ? `Removed: ${manager.path}\n` : "There is no service.\n");
  return EXIT.ok;
}

/** Prints whether the service is there and runs. Exit code 3 when it does not run. */
export async function status({ json, terminal }: CommandContext, { manager, run }: Parts = ours()): Promise<number> {
  const { isInstalled, isRunning } = await serviceStatus(manager, run);
  if (json) terminal.json({ installed: isInstalled, running: isRunning, path: manager.path });
  else terminal.answer(`${isInstalled ? manager.path : "Not installed"}: ${isRunning ? "runs" : "does not run"}\n`);
  return isRunning ? EXIT.ok : EXIT.notRunning;
}

function ours(): Parts {
  const manager = serviceManager();
  if (manager !== undefined) return { manager, run: runCommand };
  throw new InvalidOptionError("service", "a system with systemd or launchd", process.platform);
}
