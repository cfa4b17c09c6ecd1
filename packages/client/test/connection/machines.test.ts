import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CONNECTION_TRANSITIONS, nextConnectionState } from "../../src/connection/connection.machine.js";
import { nextStreamState, STREAM_TRANSITIONS } from "../../src/stream/stream.machine.js";

type Table = Record<string, Record<string, string>>;

const MACHINES: readonly [file: string, table: Table, start: string, final: string][] = [
  ["connection/connection.machine.ts", CONNECTION_TRANSITIONS, "idle", "closed"],
  ["stream/stream.machine.ts", STREAM_TRANSITIONS, "idle", "ended"],
];

test.each(MACHINES)("%s: the diagram in the comment is the table", (file, table) => {
  const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8");
  const drawn = new Set<string>();
  for (const line of source.split("\n").filter((text) => text.startsWith(" *   "))) {
    for (const [, from, event, to] of line.matchAll(/(?=\b(\w+) ─(\w+)→ (\w+))/g)) drawn.add(`${from} ${event} ${to}`);
  }
  expect(drawn).toEqual(new Set(edgesOf(table)));
});

test.each(MACHINES)("%s: every state is reached, and the last one is final", (_file, table, start, final) => {
  const reached = new Set([start]);
  for (const state of reached) for (const next of Object.values(table[state] ?? {})) reached.add(next);
  expect(reached).toEqual(new Set(Object.keys(table)));
  expect(table[final]).toEqual({});
});

test("an event that has no meaning in a state changes nothing", () => {
  expect(nextConnectionState("closed", "close")).toBeUndefined();
  expect(nextStreamState("ended", "left")).toBeUndefined();
});

function edgesOf(table: Table): string[] {
  return Object.entries(table).flatMap(([from, row]) =>
    Object.entries(row).map(([event, to]) => `${from} ${event} ${to}`),
  );
}
