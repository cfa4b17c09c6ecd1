import { join } from "node:path";
import { DaemonError, METHODS } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { linkTo, probeLocalDaemon, readOwner, STATE_FILES } from "../../rendezvous/index.js";
import type { CommandLine } from "../command-line.js";
import { authenticate, type DaemonCall } from "../daemon-call.js";
import { EXIT } from "../fail.js";
import { printable, type Terminal } from "../terminal.js";
import { damagedStoresIn } from "./damaged-stores.js";
import { storedBytesOf, storedBytesText } from "./stored-bytes.js";

/** Adds `status`. */
export function addStatusCommand(program: Command, cli: CommandLine): void {
  cli
    .command(program, "status", "tell whether the daemon runs, and where")
    .action(cli.action((context) => status(context)));
}

/** Options of `local-daemon status`. */
export interface StatusOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Prints whether a daemon runs, and where. Exit code 3 when none runs. */
export async function status({ stateDir, json, terminal }: StatusOptions): Promise<number> {
  const found = await probeLocalDaemon(stateDir);
  if (found === undefined) {
    if (json) terminal.json({ running: false, stateDir, program: await readOwner(stateDir) });
    else terminal.answer(`Not running (state in ${stateDir}).${await ownerNote(stateDir)}\n`);
    return EXIT.notRunning;
  }
  using call = await authenticate(linkTo(found, false));
  const { sessions } = await call.engine.request(METHODS.listOpenedSessions, {});
  const { socket, port, pid, startTime, version, instanceId } = found.record;
  const log = join(stateDir, STATE_FILES.log);
  const facts = { pid, version, startTime, instanceId, socket, port, stateDir, log, openSessions: sessions.length };
  const damagedStores = await damagedStoresIn(stateDir);
  const configuration = await configurationOf(call);
  const storedBytes = await storedBytesOf(call);
  if (json)
    terminal.json({
      running: true,
      ...facts,
      storedBytes,
      damagedStores,
      configuration,
      agents: call.capabilities.agents,
    });
  else {
    for (const [name, value] of Object.entries(facts)) terminal.answer(`${name.padEnd(13)} ${value ?? "–"}\n`);
    if (storedBytes.length > 0) terminal.answer(`storedBytes   ${printable(storedBytesText(storedBytes))}\n`);
    for (const path of damagedStores) {
      terminal.answer(`damagedStore  ${path} (what was readable is in use; delete the file when nothing is missing)\n`);
    }
    const changes = changesInWords(configuration);
    if (changes !== undefined) terminal.answer(`configuration ${printable(changes)}\n`);
  }
  return EXIT.ok;
}

/** How the configuration file differs from what the daemon runs with. */
interface ConfigurationState {
  readonly applied: readonly string[];
  readonly atNextStart: readonly string[];
  /** Why the file cannot be used. */
  readonly fault?: string;
}

/** Undefined for a daemon without a configuration file. */
async function configurationOf({ engine }: DaemonCall): Promise<ConfigurationState | undefined> {
  try {
    return await engine.request(METHODS.reloadConfiguration, { check: true });
  } catch (error) {
    if (DaemonError.is(error, "METHOD_NOT_FOUND")) return undefined;
    return { applied: [], atNextStart: [], fault: error instanceof Error ? error.message : String(error) };
  }
}

function changesInWords(state: ConfigurationState | undefined): string | undefined {
  if (state === undefined) return undefined;
  const { applied, atNextStart, fault } = state;
  if (fault !== undefined) return `faulty, and not in use: ${fault}`;
  if (applied.length > 0) {
    return `changed since the start: run local-daemon reload (${[...applied, ...atNextStart].join(", ")})`;
  }
  return atNextStart.length === 0
    ? undefined
    : `changed since the start: ${atNextStart.join(", ")} from the next start on`;
}

/** A note if another program owns the daemon: such a daemon is not started by our commands. */
async function ownerNote(stateDir: string): Promise<string> {
  const program = await readOwner(stateDir);
  return program === undefined ? "" : ` It is run by the program "${program}".`;
}
