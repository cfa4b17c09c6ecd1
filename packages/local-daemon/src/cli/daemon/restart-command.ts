import type { Command } from "commander";
import { pause, probeLocalDaemon, replaceDaemon } from "../../rendezvous/index.js";
import { LOCAL_DAEMON_VERSION } from "../../version.js";
import { millisecondsOf } from "../arguments.js";
import type { CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import type { Terminal } from "../terminal.js";
import { start } from "./start-command.js";

/** Adds `restart`. */
export function addRestartCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "restart",
      "replace the running daemon by this version and its configuration; running turns go on",
    )
    .option("-w, --wait <seconds>", "let running turns end within that time instead, then end them", millisecondsOf)
    .action(cli.action((context, { wait }: { wait?: number }) => restart({ ...context, waitMs: wait })));
}

/** `local-daemon restart`. */
export interface RestartOptions {
  readonly stateDir: string;
  /** How long running turns may take, in ms. Undefined: they run on. */
  readonly waitMs?: number | undefined;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** How long the former daemon may take to serve again after the new one has failed. */
const BACK_MS = 5_000;

/**
 * Replaces the daemon by this version, with the present configuration. Running agents and their turns go on, or with `waitMs` are
 * ended by then. Starts the daemon when none runs. Fails, with the former daemon as before, when the new one cannot start.
 */
export async function restart({ stateDir, waitMs, json, terminal }: RestartOptions): Promise<number> {
  const former = await probeLocalDaemon(stateDir);
  former?.link.transport.terminate();
  if (former === undefined) return start({ stateDir, foreground: false, json, terminal });
  using _progress = terminal.progress("Replacing the daemon");
  try {
    const { pid, version } = await replaceDaemon({ stateDir, waitMs }, new AbortController().signal);
    const was = `version ${former.record.version}, pid ${former.record.pid}`;
    if (json) terminal.json({ restarted: true, pid, version, former: former.record.version });
    else terminal.answer(`Restarted (version ${version}, pid ${pid}; before: ${was}).\n`);
    return EXIT.ok;
  } catch (error) {
    terminal.note(await stateAfterFailure(stateDir));
    throw error;
  }
}

async function stateAfterFailure(stateDir: string): Promise<string> {
  const since = performance.now();
  while (performance.now() - since < BACK_MS) {
    const found = await probeLocalDaemon(stateDir);
    found?.link.transport.terminate();
    if (found !== undefined) {
      const { pid, version } = found.record;
      return `Version ${LOCAL_DAEMON_VERSION} did not start. The daemon goes on as before (version ${version}, pid ${pid}).`;
    }
    await pause(since, new AbortController().signal);
  }
  return `Version ${LOCAL_DAEMON_VERSION} did not start, and the former daemon does not answer. Run "local-daemon start".`;
}
