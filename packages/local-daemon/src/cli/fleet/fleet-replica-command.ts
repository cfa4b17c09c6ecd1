import type { Command } from "commander";
import type { CommandContext, CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { addFleetAddress, type Fleet, type FleetAddress, withFleet } from "../open-fleet.js";
import { printMessage } from "../sessions/index.js";
import { type Column, printTable } from "../table.js";
import { timeText } from "../time-text.js";

type Replica = ReturnType<Fleet["replica"]>;
type Item = Awaited<ReturnType<Replica["listSessions"]>>[number];
type Content = Awaited<ReturnType<Replica["readSession"]>>;

/** Adds `fleet replica`. */
export function addFleetReplicaCommand(fleet: Command, cli: CommandLine): void {
  const description = "list the sessions in the replica of a machine, or print one; also of a machine that is lost";
  addFleetAddress(cli.command(fleet, "replica", description, "one JSON object per line"))
    .argument("<machine>", "the machine")
    .argument("[session]", "id of a session, to print its conversation; --json prints its entries, too")
    .action(
      cli.action((context, machine: string, session: string | undefined, address: FleetAddress) =>
        withFleet(address, async (one) => {
          const replica = one.replica(machine);
          return session === undefined ? list(replica, context) : show(replica, session, context);
        }),
      ),
    );
}

async function list(replica: Replica, { json, terminal }: CommandContext): Promise<number> {
  const items = await replica.listSessions();
  if (json) for (const item of items) terminal.json(item);
  else if (items.length === 0) terminal.answer("No sessions in the replica.\n");
  else printTable(terminal, COLUMNS, items);
  return EXIT.ok;
}

async function show(replica: Replica, session: string, { json, terminal }: CommandContext): Promise<number> {
  const { row, messages, entries, upTo, isWhole } = await replica.readSession(session, { entries: json });
  const { sessionId } = row;
  if (json) {
    terminal.json({ ...row, upTo, isWhole });
    for (const message of messages) terminal.json({ sessionId, message });
    for (const entry of entries) terminal.json({ sessionId, entry });
    return EXIT.ok;
  }
  for (const [name, value] of Object.entries(factsOf(row, upTo))) {
    if (value === undefined) continue;
    terminal.answer(name.padEnd(10), "dim");
    terminal.answer(`${value}\n`);
  }
  if (!isWhole) terminal.note("Messages before the first one are not in the replica any more.", "yellow");
  for (const message of messages) printMessage(terminal, message);
  return EXIT.ok;
}

function factsOf({ sessionId, title, cwd, agent, updatedAt }: Content["row"], upTo: Content["upTo"]) {
  return { session: sessionId, title, directory: cwd, agent, updated: timeText(updatedAt), "up to": endText(upTo) };
}

/** What came later on the machine is missing: a reader must see where that begins. */
function endText(upTo: Content["upTo"]): string {
  return upTo === undefined ? "" : `entry ${upTo.position.seq}, ${timeText(upTo.at)}`;
}

const COLUMNS: readonly Column<Item>[] = [
  { title: "SESSION", text: ({ sessionId }) => sessionId },
  { title: "UPDATED", text: ({ updatedAt }) => timeText(updatedAt) },
  { title: "UP TO", text: ({ upTo }) => endText(upTo), style: "cyan" },
  { title: "TITLE", text: ({ title = "" }) => title, isCut: true },
  { title: "DIRECTORY", text: ({ cwd }) => cwd, isCut: true, style: "dim" },
];
