import { setTimeout as delay } from "node:timers/promises";
import { SeededRandom } from "@daemon-sdk/testing";
import { journalHeads } from "../faults/support/journal-heads.js";
import { within } from "../stress/check.js";
import { drawAction } from "./actions.js";
import { World } from "./world.js";

/** How long a run is, and what it does. */
export interface ModelOptions {
  readonly seed: number;
  readonly seconds: number;
}

/** What a run did, and what of the promises did not hold. */
export interface ModelOutcome {
  readonly counts: ReadonlyMap<string, number>;
  readonly messages: number;
  readonly entries: number;
  readonly faults: readonly string[];
}

const LONGEST_PAUSE_MS = 250;
/** Everything that runs when the last fault has happened settles within this time. */
const SETTLE_MS = 90_000;
const POLL_MS = 50;

/** Clients, sessions and a daemon under random actions and faults; then quiet, and the books are looked at. */
export async function runModel({ seed, seconds }: ModelOptions): Promise<ModelOutcome> {
  const random = new SeededRandom(seed);
  const counts = new Map<string, number>();
  await using world = await World.open(random);
  const endsAt = performance.now() + seconds * 1_000;
  while (performance.now() < endsAt) {
    const action = drawAction(random);
    counts.set(action.name, (counts.get(action.name) ?? 0) + 1);
    await action.run(world, random);
    await delay(random.integer(0, LONGEST_PAUSE_MS));
  }
  const faults = await settled(world);
  const entries = world.entries;
  return { counts, messages: world.books.messages.length, entries, faults };
}

async function settled(world: World): Promise<string[]> {
  for (const { proxy } of world.clients) for (const link of proxy.connections) link.resume();
  await within(SETTLE_MS, allOf(world.running)).catch(() => {});
  const hung = [...world.running].length;
  if (hung > 0) world.books.fault(`${hung} of what was begun did not settle within ${SETTLE_MS} ms.`);
  await within(SETTLE_MS, queuesEmpty(world)).catch((error: unknown) =>
    world.books.fault(`Turns did not end: ${String(error)}`),
  );
  await within(SETTLE_MS, lastWords(world)).catch((error: unknown) =>
    world.books.fault(`Last words: ${String(error)}`),
  );
  for (const [sessionId, head] of await journalHeads(world.daemon, world.sessionIds))
    world.ledger.head(sessionId, head);
  const isBehind = () => world.ledger.verify().some((fault) => /stopped at|got nothing|did not end/.test(fault));
  // A call is made on a link whose sessions are attached; what they missed comes before its second answer.
  for (let round = 0; round < 100 && isBehind(); round += 1) {
    for (const { connection } of world.clients) await within(SETTLE_MS, connection.listOpenedSessions());
    await delay(POLL_MS);
  }
  const [first] = world.clients;
  return first === undefined ? [] : world.books.verify(first.connection);
}

/** One more turn in each session: it works still, and its journal ends under the present start of the daemon. */
async function lastWords(world: World): Promise<void> {
  for (const sessionId of world.sessionIds) {
    const session = world.clients.flatMap(({ handles }) => handles.get(sessionId) ?? [])[0];
    const record = world.books.sent({ messageId: world.newMessageId(), sessionId, acts: false });
    for await (const event of session?.stream("say over", { messageId: record.messageId }) ?? []) {
      if (event.type === "result") record.subtype = event.subtype;
    }
    if (record.subtype !== "success") world.books.fault(`The last turn of ${sessionId} ended as ${record.subtype}.`);
  }
}

async function allOf(running: ReadonlySet<Promise<void>>): Promise<void> {
  while (running.size > 0) await Promise.all(running);
}

/** Messages that nobody streams have turns, too. */
async function queuesEmpty(world: World): Promise<void> {
  const [first] = world.clients;
  while (first !== undefined && (await world.books.openMessages(first.connection)) > 0) await delay(POLL_MS);
}
