import type { Command } from "commander";
import type { CommandContext, CommandLine } from "../command-line.js";
import { describeError, EXIT } from "../fail.js";
import { addFleetAddress, type Fleet, type FleetAddress, withFleet } from "../open-fleet.js";
import { requestText } from "../sessions/index.js";
import { type Column, printTable } from "../table.js";
import { timeText } from "../time-text.js";
import { addFleetKeyCommands } from "./fleet-keys-command.js";
import { addFleetReplicaCommand } from "./fleet-replica-command.js";

type Machine = ReturnType<Fleet["machines"]> extends Iterable<infer One> ? One : never;
type Sessions = Awaited<ReturnType<Fleet["listSessions"]>>;
type Session = Sessions["items"][number];
type Request = Awaited<ReturnType<Fleet["listRequests"]>>["items"][number];

/** Adds `fleet`. */
export function addFleetCommands(program: Command, cli: CommandLine): void {
  const fleet = program
    .command("fleet")
    .description("all machines of a fleet, and credentials for it; needs the package @daemon-sdk/fleet");
  const add = (name: string, description: string, run: (fleet: Fleet, context: CommandContext) => Promise<number>) =>
    addFleetAddress(cli.command(fleet, name, description, "one JSON object per line")).action(
      cli.action((context, address: FleetAddress) => withFleet(address, (one) => run(one, context))),
    );
  add("machines", "list the machines: state, load, agents, labels", machines);
  add(
    "inbox",
    "list what agents of all machines wait for, oldest first; exits with 1 when a machine is missing",
    inbox,
  );
  add("sessions", "list the sessions of all machines, newest first; exits with 1 when a machine is missing", sessions);
  addFleetReplicaCommand(fleet, cli);
  addFleetKeyCommands(fleet, cli);
}

async function machines(fleet: Fleet, { json, terminal }: CommandContext): Promise<number> {
  const list = [...fleet.machines()];
  if (json) for (const machine of list) terminal.json(machine);
  else if (list.length === 0) terminal.answer("No machine has joined yet.\n");
  else printTable(terminal, MACHINE_COLUMNS, list);
  return EXIT.ok;
}

async function sessions(fleet: Fleet, context: CommandContext): Promise<number> {
  return printResult(context, await fleet.listSessions(), SESSION_COLUMNS, "No sessions yet.");
}

async function inbox(fleet: Fleet, context: CommandContext): Promise<number> {
  return printResult(context, await fleet.listRequests(), REQUEST_COLUMNS, "Nothing waits for an answer.");
}

/** A list that is not whole is printed, with what is missing, and fails: a script must not take it for all. */
function printResult<Item extends object>(
  { json, terminal }: CommandContext,
  { items, missing }: { readonly items: readonly Item[]; readonly missing: Sessions["missing"] },
  columns: readonly Column<Item>[],
  none: string,
): number {
  if (json) {
    for (const item of items) terminal.json(item);
    for (const { machineId, error, hasReplica } of missing)
      terminal.json({ missing: { machineId, error: describeError(error), hasReplica } });
  } else {
    if (items.length > 0) printTable(terminal, columns, items);
    else if (missing.length === 0) terminal.answer(`${none}\n`);
    for (const { machineId, error, hasReplica } of missing) {
      terminal.note(`Missing: ${machineId} (${describeError(error)})`, "red");
      if (hasReplica === true) terminal.note(`Its replica can be read: local-daemon fleet replica ${machineId}`);
    }
  }
  return missing.length === 0 ? EXIT.ok : EXIT.failed;
}

const MACHINE_COLUMNS: readonly Column<Machine>[] = [
  { title: "MACHINE", text: ({ machineId }) => machineId, style: "cyan" },
  { title: "STATE", text: ({ state }) => state },
  { title: "WORKING", text: ({ working, capacity }) => `${working}/${capacity}` },
  { title: "VERSION", text: ({ version }) => version },
  { title: "AGENTS", text: ({ agents }) => agents.join(", "), isCut: true },
  {
    title: "LABELS",
    text: ({ labels }) =>
      Object.entries(labels)
        .map((label) => label.join("="))
        .join(" "),
    isCut: true,
    style: "dim",
  },
];

const REQUEST_COLUMNS: readonly Column<Request>[] = [
  { title: "REQUEST", text: ({ requestId }) => requestId },
  { title: "MACHINE", text: ({ machineId }) => machineId, style: "cyan" },
  { title: "SESSION", text: ({ sessionId }) => sessionId },
  { title: "SINCE", text: ({ createdAt }) => timeText(createdAt) },
  { title: "WHAT", text: requestText, isCut: true },
];

const SESSION_COLUMNS: readonly Column<Session>[] = [
  { title: "SESSION", text: ({ sessionId }) => sessionId },
  { title: "MACHINE", text: ({ machineId }) => machineId, style: "cyan" },
  { title: "UPDATED", text: ({ updatedAt }) => timeText(updatedAt) },
  { title: "TITLE", text: ({ title = "" }) => title, isCut: true },
  { title: "DIRECTORY", text: ({ cwd = "" }) => cwd, isCut: true, style: "dim" },
];
