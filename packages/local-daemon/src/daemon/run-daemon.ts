import { lstatSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ConnectionError, DaemonError, type Logger } from "@daemon-sdk/protocol";
import { resolveConfig } from "../config.js";
import { type ConfigFile, readConfigFile } from "../config-file/index.js";
import { askToHandOver, type FormerDaemon } from "../hand-over/index.js";
import { PROCESS_LIMITS } from "../limits/index.js";
import {
  DAEMON_EXIT,
  DEFAULT_PROGRAM,
  openStateDir,
  resolveStateDir,
  STATE_FILES,
  takeOverFormerState,
} from "../rendezvous/index.js";
import { type ConfigReading, createDaemon, type Daemon, type DaemonConfig, type HandOver } from "../server.js";
import { tightenUmask } from "../umask.js";
import { ClosingSignals } from "./closing-signals.js";
import { createDaemonLog, type DaemonLog, type LogTargets } from "./daemon-log.js";
import { type FleetSettings, type KeepInFleet, prepareMembership } from "./fleet-membership.js";
import { collectGarbageWithoutHelpers } from "./garbage-collection.js";

/** Options of the command line, which override the configuration file. */
export interface RunDaemonOptions {
  readonly port?: number | undefined;
  /** Takes the place of the daemon that runs: its agents run on. */
  readonly takesOver?: boolean | undefined;
  /** With `takesOver`: how long the turns of that daemon may take, in ms; then they are ended. Default: they run on. */
  readonly waitMs?: number | undefined;
  /** Whether a later daemon may take the place of this one. Default false: its program, or its service manager, restarts it. */
  readonly handsOver?: boolean | undefined;
  /** The fleet that the daemon joins, in place of the configuration's. */
  readonly fleet?: FleetSettings | undefined;
  /** Whether the log goes to stdout as well as to its file: as JSON, and readable at a terminal. Default false. */
  readonly logsToStdout?: boolean;
  /** Called when clients can find the daemon. */
  onReady?(daemon: Daemon): void;
}

/**
 * Runs the daemon: starts it, serves until SIGTERM or SIGINT, drains and ends. Resolves with the exit code
 * ({@link DAEMON_EXIT}); a failure is first written to stderr, with its code first. Sets the umask of the whole process, and how
 * its garbage is collected.
 */
export async function runDaemon(options: RunDaemonOptions = {}): Promise<number> {
  tightenUmask();
  collectGarbageWithoutHelpers();
  // Before clients can find the daemon, because one may signal it at once.
  using signals = new ClosingSignals();
  let former: FormerDaemon | undefined;
  try {
    const stateDir = await openStateDir(resolveStateDir());
    await takeOverFormerState(stateDir);
    const file = await readConfigFile(stateDir);
    const log = createDaemonLog(levelOf(file));
    const fleet = options.fleet ?? file.fleet;
    const joinFleet =
      fleet === undefined
        ? undefined
        : await prepareMembership(fleet, async () => (await readConfigFile(stateDir)).apiKeys ?? []);
    const run = { stateDir, file, log, options, signals, joinFleet };
    // The configuration is checked before anything changes for the daemon that runs.
    resolveConfig(configOf(file, options));
    if (options.takesOver === true) former = await askToHandOver({ stateDir, waitMs: options.waitMs });
    let handOver = await serve(run, former);
    while (handOver !== undefined && (await handOver.outcome) === "failed") {
      log.warn({}, "the daemon that was to take over does not run: this one goes on");
      handOver = await serve(run).catch(heldBy(handOver));
    }
    if (handOver !== undefined) await hold(handOver, signals);
    return DAEMON_EXIT.stopped;
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    return exitCodeOf(error);
  } finally {
    former?.close();
  }
}

/** What one process runs daemons with: more than one where a hand-over failed. */
interface Run {
  readonly stateDir: string;
  readonly file: ConfigFile;
  readonly log: DaemonLog;
  readonly options: RunDaemonOptions;
  readonly signals: ClosingSignals;
  readonly joinFleet: KeepInFleet | undefined;
}

/** Serves until the daemon has ended; the result is set when it handed over. */
async function serve(run: Run, former?: FormerDaemon): Promise<HandOver | undefined> {
  const { stateDir, file, log, signals, joinFleet } = run;
  const options = { ...run.options, port: run.options.port ?? (file.port === 0 ? former?.port : undefined) };
  const readConfig = async (): Promise<ConfigReading> => {
    const now = await readConfigFile(stateDir);
    return { config: configOf(now, options), atNextStart: changedAtStart(file, now) };
  };
  let handOver: HandOver | undefined;
  const onHandOver = (made: HandOver) => {
    handOver = made;
  };
  const leaving = options.handsOver === true ? { onHandOver } : {};
  const daemon = await createDaemon({ ...configOf(file, options), ...leaving, stateDir, logger: log, readConfig });
  former?.close();
  signals.started(daemon, () => void reload(daemon, readConfig, log));
  const unwatch = closeWhenUnreachable(daemon, log);
  options.onReady?.(daemon);
  joinFleet?.(daemon, log);
  log.info({ ...daemon.endpoint }, "daemon started");
  if (process.pid === 1) warnOfZombies(log);
  const targets = { file: join(stateDir, STATE_FILES.log), toStdout: options.logsToStdout === true };
  const opened = openLogSoon(log, targets, daemon.closed);
  await daemon.closed;
  unwatch();
  await opened;
  const { instanceId } = daemon.endpoint;
  log.info({ instanceId }, handOver === undefined ? "daemon stopped" : "daemon handed over");
  return handOver;
}

/** Another daemon has the state directory after all: this process holds agents for it, or for nobody. */
function heldBy(handOver: HandOver): (error: unknown) => Promise<HandOver> {
  return async (error) => {
    if (ConnectionError.is(error, "DAEMON_ALREADY_RUNNING")) {
      return { ...handOver, outcome: Promise.resolve("adopted" as const) };
    }
    await handOver.close();
    throw error;
  };
}

/** Holds agents for the daemon that took over, until they have ended. A signal ends them. */
async function hold(handOver: HandOver, signals: ClosingSignals): Promise<void> {
  signals.started(handOver);
  await handOver.ended;
}

/** Keys that are not of the daemon itself. */
function changedAtStart(one: ConfigFile, other: ConfigFile): string[] {
  const isSameFleet = JSON.stringify(one.fleet) === JSON.stringify(other.fleet);
  return [...(isSameFleet ? [] : ["fleet"]), ...(levelOf(one) === levelOf(other) ? [] : ["logLevel"])];
}

function levelOf({ logLevel = "info" }: ConfigFile): keyof Logger {
  return logLevel;
}

/** What a configuration file means for a daemon of the command line. */
function configOf(
  { logLevel: _level, fleet: _fleet, $schema: _schema, ...config }: ConfigFile,
  options: RunDaemonOptions,
): DaemonConfig {
  const { port = config.port } = options;
  return {
    agentPresets: true,
    loginShell: true,
    ...config,
    program: DEFAULT_PROGRAM,
    ...(port === undefined ? {} : { port }),
  };
}

/** At a hang-up. A faulty file changes nothing, and is stated in the log. */
async function reload(daemon: Daemon, readConfig: () => Promise<ConfigReading>, log: Logger): Promise<void> {
  try {
    await daemon.reload((await readConfig()).config);
  } catch (error) {
    log.error({ error: describe(error) }, "the configuration was not reloaded: it is faulty");
  }
}

function exitCodeOf(error: unknown): number {
  if (ConnectionError.is(error, "DAEMON_ALREADY_RUNNING")) return DAEMON_EXIT.alreadyRunning;
  return DaemonError.is(error) && !error.retryable ? DAEMON_EXIT.refused : DAEMON_EXIT.failed;
}

/** As the first process of a container the daemon inherits every orphan, and Node waits for its own children only. */
function warnOfZombies(log: Logger): void {
  const message =
    "The daemon runs as PID 1 and cannot reap the orphans of its agents: they stay as zombies. " +
    "Start the container with an init process, for example `docker run --init` or `tini`.";
  log.warn({ pid: 1 }, message);
  process.stderr.write(`${message}\n`);
}

/** Opens the log shortly after the start, so that loading its library does not delay the first client. */
async function openLogSoon(log: DaemonLog, targets: LogTargets, closed: Promise<void>): Promise<void> {
  await Promise.race([delay(PROCESS_LIMITS.logAfterMs, undefined, { ref: false }), closed]);
  await log.open(targets).catch((error: unknown) => process.stderr.write(`${describe(error)}\n`));
}

/**
 * Ends a daemon whose socket is gone: its state directory was removed, nobody will ever find it, and with the lock file
 * gone, too, another one may start beside it. Returns how to stop looking.
 */
function closeWhenUnreachable(daemon: Daemon, logger: Logger): () => void {
  const { socketPath } = daemon.endpoint;
  if (socketPath === undefined) return () => {};
  const published = lstatSync(socketPath, { throwIfNoEntry: false })?.ino;
  const timer = setInterval(() => {
    if (lstatSync(socketPath, { throwIfNoEntry: false })?.ino === published) return;
    logger.warn({ socketPath }, "the socket is gone or belongs to another daemon: stopping");
    daemon.close().catch(() => {});
  }, PROCESS_LIMITS.reachableCheckMs);
  timer.unref();
  return () => clearInterval(timer);
}

function describe(error: unknown): string {
  if (DaemonError.is(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
