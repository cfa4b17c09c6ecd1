import type { Position } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Ledger, type LedgerClient, type LedgerEvent } from "../src/index.js";

interface Entry {
  readonly position: Position;
  readonly event: LedgerEvent;
}

/** A session's journal: turns of a few deltas each, and a restart of the daemon somewhere. */
const journals = fc
  .tuple(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }), fc.nat({ max: 10 }))
  .map(([turns, restartAt]) => {
    const events = turns.flatMap((deltas, turn): LedgerEvent[] => [
      ...Array.from({ length: deltas }, (_, index) => ({
        type: "assistant_text_delta",
        textDelta: `${turn}.${index}`,
      })),
      { type: "agent_turn_completed", turnId: `m-${turn}`, reason: "completed" },
    ]);
    const entries = events.map(
      (event, index): Entry => ({ position: { epoch: index < restartAt ? 1 : 2, seq: index + 1 }, event }),
    );
    return { entries, messages: turns.map((_, turn) => `m-${turn}`) };
  });

function ledgerOf({ entries, messages }: { entries: readonly Entry[]; messages: readonly string[] }): Ledger {
  const ledger = new Ledger({ seed: 42 });
  for (const message of messages) ledger.promise(message, "s");
  const last = entries.at(-1);
  if (last) ledger.head("s", last.position);
  return ledger;
}

function write(client: LedgerClient, entries: readonly Entry[]): void {
  client.startsAfter("s", { epoch: 1, seq: 0 });
  for (const { position, event } of entries) client.took("s", position, event);
}

const MUTATIONS: Record<string, (entries: readonly Entry[], place: number) => Entry[]> = {
  drop: (entries, place) => entries.filter((_, index) => index !== place),
  duplicate: (entries, place) => entries.flatMap((entry, index) => (index === place ? [entry, entry] : [entry])),
  "repeat at the end": (entries, place) => [...entries, ...entries.slice(place, place + 1)],
  swap: (entries, place) =>
    entries.map((entry, index) =>
      index === place ? (entries[place + 1] ?? entry) : index === place + 1 ? (entries[place] ?? entry) : entry,
    ),
  "another event in its place": (entries, place) =>
    entries.map((entry, index) => (index === place ? { ...entry, event: { type: "forged" } } : entry)),
};

test("a run that kept its promises has no faults, whoever lagged or came back", async () => {
  fc.assert(
    fc.property(journals, fc.nat(), (journal, place) => {
      const ledger = ledgerOf(journal);
      write(ledger.client("a"), journal.entries);
      const late = ledger.client("b");
      const from = place % journal.entries.length;
      write(late, journal.entries.slice(0, from));
      late.startsAfter("s", journal.entries[from - 1]?.position ?? { epoch: 1, seq: 0 });
      for (const { position, event } of journal.entries.slice(from)) late.took("s", position, event);
      expect(ledger.verify()).toEqual([]);
    }),
  );
});

test.each(Object.entries(MUTATIONS))("every %s is found, at any place, and told with the seed", (name, mutate) => {
  fc.assert(
    fc.property(journals, fc.nat(), (journal, number) => {
      const length = name === "swap" ? journal.entries.length - 1 : journal.entries.length;
      fc.pre(length > 0);
      const ledger = ledgerOf(journal);
      write(ledger.client("a"), journal.entries);
      write(ledger.client("b"), mutate(journal.entries, number % length));
      const faults = ledger.verify();
      expect(faults.length).toBeGreaterThan(0);
      for (const fault of faults) expect(fault).toMatch(/b.*\(seed 42\)$/);
    }),
  );
});

test("a message that ended twice, or not at all, is found although every position is right", () => {
  const ledger = new Ledger();
  for (const message of ["once", "twice", "never"]) ledger.promise(message, "s");
  const client = ledger.client("a");
  for (const [index, turnId] of ["once", "twice", "twice"].entries()) {
    client.took("s", { epoch: 1, seq: index + 1 }, { type: "agent_turn_completed", turnId, reason: `r${index}` });
  }
  expect(ledger.verify()).toEqual([
    "Client a: message twice ended 2 times: r1, r2.",
    "Client a: message never did not end.",
  ]);
});

test("faults say who lost what", () => {
  const ledger = new Ledger();
  const client = ledger.client("slow");
  for (const seq of [1, 2, 4, 8, 8, 7, 9]) client.took("s", { epoch: 1, seq }, { type: "n", seq });
  expect(ledger.verify()).toEqual([
    "Client slow, session s: entry 3 is missing before n at 1:4.",
    "Client slow, session s: entries 5 to 7 are missing before n at 1:8.",
    "Client slow, session s: n at 1:8 came twice.",
    "Client slow, session s: n at 1:7 came out of order, after 1:8.",
  ]);
});

test("a gap that was told is no fault, and after it the order counts again", () => {
  const ledger = new Ledger();
  const client = ledger.client("a");
  const took = (seq: number) => client.took("s", { epoch: 1, seq }, { type: "n", seq });
  took(1);
  client.gap("s", { epoch: 1, seq: 7 });
  took(8);
  client.gap("s");
  took(20);
  expect(ledger.verify()).toEqual([]);
  took(22);
  expect(ledger.verify()).toEqual(["Client a, session s: entry 21 is missing before n at 1:22."]);
});

test("without positions the ends of turns are counted all the same, and sessions do not mix", () => {
  const ledger = new Ledger();
  ledger.promise("m-1", "s-1");
  ledger.promise("m-2", "s-2");
  const end = { type: "agent_turn_completed", reason: "completed" };
  ledger.client("a").took("s-1", undefined, { ...end, turnId: "m-1" });
  expect(ledger.verify()).toEqual([]);
  ledger.client("a").took("s-2", undefined, { type: "n" });
  expect(ledger.verify()).toEqual(["Client a: message m-2 did not end."]);
});

test("the last position of a session is not required of a client that is not attached to it", () => {
  const ledger = new Ledger();
  ledger.promise("m", "s");
  ledger.head("s", { epoch: 1, seq: 1 });
  const at = (seq: number) => ({ epoch: 1, seq });
  ledger.client("follows").took("s", at(1), { type: "agent_turn_completed", turnId: "m", reason: "completed" });
  ledger.client("elsewhere").took("t", at(1), { type: "assistant_text_delta" });
  expect([...ledger.verify(), ...ledger.verify()]).toEqual([]);
});
