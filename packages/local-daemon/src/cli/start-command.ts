import { ConnectionError } from "@daemon-sdk/protocol";
import { probeLocalDaemon, startDaemon } from "../rendezvous/index.js";
import { EXIT } from "./fail.js";
import type { Terminal } from "./terminal.js";

/** `local-daemon start`. */
export interface StartOptions {
  readonly stateDir: string;
  readonly port?: number | undefined;
  readonly foreground: boolean;
  readonly terminal: Terminal;
}

/** Starts the daemon in the background or, with `foreground`, in this process. Resolves with the exit code. */
export async function start(options: StartOptions): Promise<number> {
  if (options.foreground) return runInForeground(options);
  const { stateDir, port, terminal } = options;
  const running = await probeLocalDaemon(stateDir);
  if (running !== undefined) {
    running.link.transport.terminate();
    refuseOtherPort(running.record.port, port);
    terminal.answer(`Already running (pid ${running.record.pid}).\n`);
    return EXIT.ok;
  }
  const args = port === undefined ? [] : ["--port", String(port)];
  const { record, started } = await startDaemon({ stateDir, args }, new AbortController().signal);
  refuseOtherPort(record.port, port);
  const where = record.port === undefined ? record.socket : `${record.socket} and 127.0.0.1:${record.port}`;
  terminal.answer(`${started ? "Started" : "Already running"} (pid ${record.pid}), listening on ${where}.\n`);
  return EXIT.ok;
}

/** Fails if a daemon runs with another port than the requested one, so that the exit code reports it. */
function refuseOtherPort(actual: number | undefined, wanted: number | undefined): void {
  if (wanted === undefined || actual === wanted || (wanted === 0 && actual !== undefined)) return;
  throw new ConnectionError(
    "DAEMON_ALREADY_RUNNING",
    `A daemon runs already and listens on ${actual === undefined ? "no port" : `port ${actual}`}. Stop it first with "local-daemon stop".`,
  );
}

async function runInForeground({ port, stateDir, terminal }: StartOptions): Promise<number> {
  // Loaded here, so that other commands do not load the daemon and its store.
  const { runDaemon } = await import("../daemon/index.js");
  return runDaemon({
    port,
    onReady: ({ endpoint }) =>
      terminal.note(
        `Listening on ${endpoint.socketPath}${endpoint.port === undefined ? "" : ` and 127.0.0.1:${endpoint.port}`} ` +
          `(pid ${endpoint.pid}, state in ${stateDir}). Ctrl-C stops.`,
      ),
  });
}
