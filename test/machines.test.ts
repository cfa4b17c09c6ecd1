import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CONNECTION_TRANSITIONS } from "../packages/client/src/connection/connection.machine.js";
import { RELAY_TRANSITIONS } from "../packages/client/src/relay/connection/relay.machine.js";
import { STREAM_TRANSITIONS } from "../packages/client/src/stream/stream.machine.js";
import { LINK_TRANSITIONS as FLEET_LINK_TRANSITIONS } from "../packages/fleet/src/link/link.machine.js";
import { AGENT_PROCESS_TRANSITIONS } from "../packages/local-daemon/src/agents/agent-process.machine.js";
import { HOLDER_TRANSITIONS } from "../packages/local-daemon/src/agents/hold/holder.machine.js";
import { CONNECTION_TRANSITIONS as ACCEPTED_TRANSITIONS } from "../packages/local-daemon/src/connection/connection.machine.js";
import { MESSAGE_TRANSITIONS } from "../packages/local-daemon/src/turns/message.machine.js";
import { TURN_TABLES } from "../packages/protocol/src/session/state/turn.machine.js";
import { LINK_TRANSITIONS } from "../packages/transport-ws/src/transport.machine.js";
import { drawnEdges, faultsOf, type MachinePromises, type MachineTable } from "./support/machine-check.js";
import { ROOT } from "./support/packages.js";

/** One table of a `*.machine.ts`. */
interface Machine extends MachinePromises {
  /** Below `packages`. */
  readonly file: string;
  /** The constant before which the diagram stands. */
  readonly name: string;
  readonly table: MachineTable;
}

/** Every machine. One that is new is written down here, with what it promises. */
const MACHINES: readonly Machine[] = [
  {
    file: "client/src/connection/connection.machine.ts",
    name: "CONNECTION_TRANSITIONS",
    table: CONNECTION_TRANSITIONS,
    starts: ["idle"],
    finals: ["closed"],
    exits: { close: { except: ["closing"] } },
  },
  {
    file: "client/src/relay/connection/relay.machine.ts",
    name: "RELAY_TRANSITIONS",
    table: RELAY_TRANSITIONS,
    starts: ["idle"],
    finals: ["closed"],
    exits: { close: { except: ["closing"] } },
  },
  {
    file: "client/src/stream/stream.machine.ts",
    name: "STREAM_TRANSITIONS",
    table: STREAM_TRANSITIONS,
    starts: ["idle"],
    finals: ["ended"],
    exits: { abandoned: {} },
  },
  {
    file: "fleet/src/link/link.machine.ts",
    name: "LINK_TRANSITIONS",
    table: FLEET_LINK_TRANSITIONS,
    starts: ["open"],
    finals: ["ended"],
    exits: { close: {}, ended: {} },
  },
  {
    file: "local-daemon/src/agents/agent-process.machine.ts",
    name: "AGENT_PROCESS_TRANSITIONS",
    table: AGENT_PROCESS_TRANSITIONS,
    starts: ["running"],
    finals: ["gone"],
    exits: { exited: { except: ["sweeping"] } },
  },
  {
    file: "local-daemon/src/agents/hold/holder.machine.ts",
    name: "HOLDER_TRANSITIONS",
    table: HOLDER_TRANSITIONS,
    starts: ["waiting"],
    finals: ["ended"],
    exits: { empty: {} },
  },
  {
    file: "local-daemon/src/connection/connection.machine.ts",
    name: "CONNECTION_TRANSITIONS",
    table: ACCEPTED_TRANSITIONS,
    starts: ["connecting"],
    finals: ["closed"],
    exits: { close: { except: ["closing"] }, ended: {} },
  },
  {
    file: "local-daemon/src/turns/message.machine.ts",
    name: "MESSAGE_TRANSITIONS",
    table: MESSAGE_TRANSITIONS,
    starts: ["accepted"],
    finals: ["completed", "interrupted", "failed", "agent_exited", "outcome_unknown"],
    exits: { complete: {}, interrupt: {}, fail: {}, exit: {}, lose: {} },
  },
  {
    file: "protocol/src/session/state/turn.machine.ts",
    name: "TOLD",
    table: TURN_TABLES.told,
    starts: ["behind", "waiting"],
    finals: ["ended"],
    exits: { ownCompleted: {} },
  },
  {
    file: "protocol/src/session/state/turn.machine.ts",
    name: "INFERRED",
    table: TURN_TABLES.inferred,
    starts: ["behind", "waiting"],
    finals: ["ended"],
    exits: { ownCompleted: {} },
  },
  {
    file: "transport-ws/src/transport.machine.ts",
    name: "LINK_TRANSITIONS",
    table: LINK_TRANSITIONS,
    starts: ["open"],
    finals: ["ended"],
    exits: { close: {}, terminate: {}, ended: {} },
  },
];

test.each(MACHINES)("$file: $name is what its diagram shows, and keeps its promises", ({ file, name, ...machine }) => {
  const source = readFileSync(join(ROOT, "packages", file), "utf8");
  expect(faultsOf(machine.table, machine, drawnEdges(source, name))).toEqual([]);
});

test("every *.machine.ts is checked above", () => {
  const files = readdirSync(join(ROOT, "packages"), "utf8").flatMap((name) =>
    readdirSync(join(ROOT, "packages", name, "src"), { recursive: true, encoding: "utf8" }).map(
      (path) => `${name}/src/${path}`,
    ),
  );
  const machines = files.filter((path) => path.endsWith(".machine.ts"));
  expect(new Set(MACHINES.map(({ file }) => file))).toEqual(new Set(machines));
});

const DOOR_SOURCE = `
/** Another comment, after which no diagram is looked for. */
const OTHER = 1;
/**
 * A door. open ─slam→ shut is no part of the diagram: the line is not indented.
 *
 *   shut ─open→ ajar ─push→ open
 *   ajar, open ─close, slam→ shut
 *   shut, ajar, open ─remove→ gone
 */
export const DOOR = {};
`;
const DOOR = {
  shut: { open: "ajar", remove: "gone" },
  ajar: { push: "open", close: "shut", slam: "shut", remove: "gone" },
  open: { close: "shut", slam: "shut", remove: "gone" },
  gone: {},
};
const PROMISES: MachinePromises = {
  starts: ["shut"],
  finals: ["gone"],
  exits: { close: { except: ["shut"] }, remove: {} },
};

test("a machine that is as it is drawn has no fault", () => {
  expect(faultsOf(DOOR, PROMISES, drawnEdges(DOOR_SOURCE, "DOOR"))).toEqual([]);
  expect(drawnEdges(DOOR_SOURCE, "OTHER").size).toBe(0);
  expect(drawnEdges(DOOR_SOURCE, "NONE").size).toBe(0);
});

test.each<[fault: string, table: MachineTable]>([
  ["barred is never reached", { ...DOOR, barred: { close: "shut", remove: "gone" } }],
  ["lost has no row", { ...DOOR, shut: { ...DOOR.shut, lose: "lost" } }],
  ["open leads to no end", { ...DOOR, open: { close: "open", remove: "open" } }],
  ["gone is not final", { ...DOOR, gone: { open: "shut" } }],
  ["open has no exit by remove", { ...DOOR, open: { close: "shut", slam: "shut" } }],
  ["not in the diagram: open ─kick→ gone", { ...DOOR, open: { ...DOOR.open, kick: "gone" } }],
  ["only in the diagram: shut ─open→ ajar", { ...DOOR, shut: { remove: "gone" } }],
])("a machine with a fault is found: %s", (fault, table) => {
  expect(faultsOf(table, PROMISES, drawnEdges(DOOR_SOURCE, "DOOR"))).toContain(fault);
});
