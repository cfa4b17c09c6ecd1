import { resolve } from "node:path";
import { ConnectionError } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import type { FleetSettings } from "../../daemon/index.js";
import { type EndpointRecord, probeLocalDaemon, startDaemon } from "../../rendezvous/index.js";
import { portOf } from "../arguments.js";
import type { CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { addFleetOptions, type FleetOptions, fleetSettingsOf } from "../fleet-options.js";
import type { Terminal } from "../terminal.js";

/** Adds `start`. */
export function addStartCommand(program: Command, cli: CommandLine): void {
  const command = cli
    .command(program, "start", "start the daemon, in the background unless told otherwise; nothing to do when one runs")
    .option("-f, --foreground", "stay in this terminal, stop with Ctrl-C", false)
    .option(
      "-p, --port <n>",
      "listen on 127.0.0.1:<n>, too (0: a free port; clients of the original use 37643)",
      portOf,
    );
  addFleetOptions(command).action(
    cli.action(
      (context, options: { foreground: boolean; port?: number } & FleetOptions) =>
        start({ ...context, ...options, fleet: fleetSettingsOf(options) }),
      // In the foreground the daemon listens for signals itself (the first drains, the second hurries), and serves on without a reader.
      "own",
    ),
  );
}

/** `local-daemon start`. */
export interface StartOptions {
  readonly stateDir: string;
  readonly port?: number | undefined;
  readonly foreground: boolean;
  /** The fleet that the daemon joins; default none. */
  readonly fleet?: FleetSettings | undefined;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Also `restart`, and a client that finds no daemon, start one without the options of this start. */
const UNTIL_ITS_END =
  'The daemon is in the fleet until it ends. For one that joins at each start, also after "local-daemon restart", set "fleet" in config.json.';

/** Starts the daemon in the background or, with `foreground`, in this process. Resolves with the exit code. */
export async function start(options: StartOptions): Promise<number> {
  if (options.foreground) return runInForeground(options);
  const { stateDir, port, fleet, terminal, json } = options;
  const print = ({ pid, socket, port: actual }: EndpointRecord, started: boolean) => {
    if (json) terminal.json({ started, pid, socket, port: actual });
    else if (!started) terminal.answer(`Already running (pid ${pid}).\n`);
    else {
      const where = actual === undefined ? socket : `${socket} and 127.0.0.1:${actual}`;
      terminal.answer(`Started (pid ${pid}), listening on ${where}.\n`);
    }
    return EXIT.ok;
  };
  const running = await probeLocalDaemon(stateDir);
  if (running !== undefined) {
    running.link.transport.terminate();
    refuseOtherPort(running.record.port, port);
    refuseLateFleet(fleet);
    return print(running.record, false);
  }
  const args = [
    ...(port === undefined ? [] : ["--port", String(port)]),
    ...(fleet === undefined ? [] : ["--fleet", JSON.stringify(absolute(fleet))]),
  ];
  using _progress = terminal.progress("Starting the daemon");
  const { record, started } = await startDaemon({ stateDir, args }, new AbortController().signal);
  refuseOtherPort(record.port, port);
  if (fleet !== undefined) terminal.note(UNTIL_ITS_END);
  return print(record, started);
}

/** Fails if a daemon runs with another port than the requested one, so that the exit code reports it. */
function refuseOtherPort(actual: number | undefined, wanted: number | undefined): void {
  if (wanted === undefined || actual === wanted || (wanted === 0 && actual !== undefined)) return;
  throw new ConnectionError(
    "DAEMON_ALREADY_RUNNING",
    `A daemon runs already and listens on ${actual === undefined ? "no port" : `port ${actual}`}. Stop it first with "local-daemon stop".`,
  );
}

/** Fails if a daemon runs that was started by itself: it cannot be told to join. */
function refuseLateFleet(fleet: FleetSettings | undefined): void {
  if (fleet === undefined) return;
  const text = "A daemon runs already, and a daemon joins a fleet at its start only";
  throw new ConnectionError("DAEMON_ALREADY_RUNNING", `${text}. Stop it first with "local-daemon stop".`);
}

/** The daemon has another working directory. */
function absolute({ credentialsFile: path, console, ...fleet }: FleetSettings): FleetSettings {
  return {
    ...fleet,
    ...(path === undefined ? {} : { credentialsFile: resolve(path) }),
    ...(console === undefined ? {} : { console: { credentialsFile: resolve(console.credentialsFile) } }),
  };
}

async function runInForeground({ port, fleet, stateDir, terminal }: StartOptions): Promise<number> {
  // Loaded here, so that other commands do not load the daemon and its store.
  const { runDaemon } = await import("../../daemon/index.js");
  return runDaemon({
    port,
    fleet,
    logsToStdout: true,
    onReady: ({ endpoint }) =>
      terminal.note(
        `Listening on ${endpoint.socketPath}${endpoint.port === undefined ? "" : ` and 127.0.0.1:${endpoint.port}`} ` +
          `(pid ${endpoint.pid}, state in ${stateDir}). Ctrl-C stops.`,
      ),
  });
}
