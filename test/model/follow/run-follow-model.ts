import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { SeededRandom } from "@daemon-sdk/testing";
import type { ChaosConnection } from "@daemon-sdk/testing/node";
import { within } from "../../stress/check.js";
import type { ModelOptions, ModelOutcome } from "../run-model.js";
import { FollowWorld } from "./follow-world.js";
import type { Follower } from "./follower.js";
import { isWhole, readJournal, textOf, type Word, wordsOf } from "./journal-words.js";

const LONGEST_PAUSE_MS = 150;
/** Everything that runs when the last fault has happened settles within this time. */
const SETTLE_MS = 90_000;
/** While the run lasts. */
const MOST_FOLLOWERS = 24;
/** How many followers of a session begin when the run is over. */
const PLACES = 16;

interface Action {
  readonly name: string;
  readonly weight: number;
  run(world: FollowWorld, random: SeededRandom): Promise<void> | void;
}

const ACTIONS: readonly Action[] = [
  { name: "prompt", weight: 10, run: (world, random) => prompt(world, random) },
  { name: "interrupt", weight: 2, run: (world, random) => interrupt(world, random) },
  { name: "follower from any position", weight: 5, run: (world, random) => followAnywhere(world, random) },
  { name: "follower opened again", weight: 4, run: (world, random) => anyFollower(world, random)?.reopen() },
  { name: "cut", weight: 5, run: (world, random) => spoil(world, random, (link) => link.cut()) },
  {
    name: "cut inside a message",
    weight: 6,
    run: (world, random) =>
      spoil(world, random, (link) => link.toClient.cutAt(link.toClient.passedBytes + random.integer(0, 4_000))),
  },
  { name: "gateway replaced", weight: 2, run: (world) => world.replaceGateway() },
  { name: "daemon killed", weight: 1.5, run: (world) => restarted(world, "SIGKILL") },
  { name: "daemon stopped", weight: 0.3, run: (world) => restarted(world, "SIGTERM") },
];

/**
 * Turns, followers, cuts and restarts by chance; then quiet, and every follower's events are compared with the journal, and the
 * journal with what was sent.
 */
export async function runFollowModel({ seed, seconds }: ModelOptions): Promise<ModelOutcome> {
  const random = new SeededRandom(seed);
  const counts = new Map<string, number>();
  await using world = await FollowWorld.open(random);
  // A short run has one restart, too.
  const killsAt = performance.now() + seconds * 500;
  const endsAt = performance.now() + seconds * 1_000;
  let hasRestarted = false;
  while (performance.now() < endsAt) {
    const isDue: boolean = !hasRestarted && performance.now() > killsAt;
    const action: Action = isDue ? (ACTIONS.find(({ name }) => name === "daemon killed") as Action) : draw(random);
    hasRestarted ||= action.name.startsWith("daemon");
    counts.set(action.name, (counts.get(action.name) ?? 0) + 1);
    await action.run(world, random);
    await delay(random.integer(0, LONGEST_PAUSE_MS));
  }
  const entries = await settled(world, random);
  return { counts, messages: world.sent.length, entries, faults: world.faults };
}

function draw(random: SeededRandom): Action {
  let left = random.next() * ACTIONS.reduce((sum, { weight }) => sum + weight, 0);
  for (const action of ACTIONS) {
    left -= action.weight;
    if (left < 0) return action;
  }
  return ACTIONS[0] as Action;
}

async function prompt(world: FollowWorld, random: SeededRandom): Promise<void> {
  const { sessionId } = anySession(world, random);
  const messageId = randomUUID();
  const count = random.integer(1, 60);
  const numbers = `${Array.from({ length: count }, (_, index) => index + 1).join(" ")} `;
  const [text, answer] = random.pick<readonly [string, string | undefined]>([
    [`count ${count} every ${random.integer(1, 8)}`, numbers],
    [`say ${"ä🙂 ".repeat(count)}end`, `${"ä🙂 ".repeat(count)}end`],
    [`say before ; then append f: x\\n ; then list ; then say after ${count}`, undefined],
    ["ask Which? red | blue", undefined],
    ["run true", undefined],
  ]);
  world.sent.push({ sessionId, messageId, answer });
  await world.sender.send(sessionId, text, { messageId });
}

/** A turn that is interrupted may report its tools twice. */
async function interrupt(world: FollowWorld, random: SeededRandom): Promise<void> {
  await world.sender.interruptSession(anySession(world, random).sessionId).catch(() => {
    // The daemon was restarted between the call and its answer: whether it was interrupted is not known.
  });
}

function followAnywhere(world: FollowWorld, random: SeededRandom): void {
  const known = anyFollower(world, random);
  const session = world.sessions.find(({ sessionId }) => sessionId === known?.options.sessionId);
  if (known === undefined || session === undefined || known.words.length === 0) return;
  if (world.followers.length >= MOST_FOLLOWERS) return;
  const { id } = known.words[random.integer(0, known.words.length - 1)] as Word;
  world.follow(session, id, random.integer(0, 3));
}

function anyFollower(world: FollowWorld, random: SeededRandom): Follower | undefined {
  return world.followers[random.integer(0, world.followers.length - 1)]?.follower;
}

function anySession(world: FollowWorld, random: SeededRandom) {
  return world.sessions[random.integer(0, world.sessions.length - 1)] as FollowWorld["sessions"][number];
}

function spoil(world: FollowWorld, random: SeededRandom, how: (link: ChaosConnection) => void): void {
  const { links } = world;
  const link = links[random.integer(0, Math.max(0, links.length - 1))];
  if (link !== undefined) how(link);
}

async function restarted({ daemon }: FollowWorld, signal: NodeJS.Signals): Promise<void> {
  // Twice where it is asked politely: running turns need not finish.
  await daemon.end(...(signal === "SIGTERM" ? (["SIGTERM", "SIGINT"] as const) : [signal]));
  await daemon.start();
}

/** Sends a last message to each session, and compares. Resolves with the number of entries. */
async function settled(world: FollowWorld, random: SeededRandom): Promise<number> {
  for (const { sessionId, lastId } of world.sessions) {
    world.sent.push({ sessionId, messageId: lastId, answer: "over" });
    await world.sender.send(sessionId, "say over", { messageId: lastId });
  }
  await ended(world);
  followPlaces(world, random);
  await ended(world);
  let entries = 0;
  for (const { sessionId, begin, lastId } of world.sessions) {
    const journal = await readJournal(world.daemon, sessionId, begin);
    entries += journal.length;
    const all = wordsOf(journal);
    const end = all.findIndex(({ type, turnId }) => type === "result" && turnId === lastId);
    const words = all.slice(0, end + 1);
    for (const { follower } of world.followers)
      if (follower.options.sessionId === sessionId) world.faults.push(...differences(follower, words, begin));
    world.faults.push(...(await answerFaults(world, sessionId, words)));
  }
  return entries;
}

/** Waits until every follower has come to the end of the last turn. */
async function ended(world: FollowWorld): Promise<void> {
  await within(SETTLE_MS, Promise.all(world.followers.map(({ done }) => done))).catch(() => {
    for (const { follower } of world.followers) {
      const { words, options } = follower;
      if (words.at(-1)?.type !== "result") world.faults.push(`${options.name} did not come to the end.`);
    }
  });
}

/** Follows from places at random, and from places between two events of one entry, now that the journal is complete. */
function followPlaces(world: FollowWorld, random: SeededRandom): void {
  for (const session of world.sessions) {
    const known = world.followers.find(({ follower }) => follower.options.sessionId === session.sessionId);
    const ids = (known?.follower.words ?? []).slice(0, -1).map(({ id }) => id);
    const inside = ids.filter((id) => id.split(".").length > 2);
    for (let index = 0; index < PLACES; index += 1) {
      const places = index % 2 === 0 ? ids : inside;
      const id = places[random.integer(0, Math.max(0, places.length - 1))];
      if (id !== undefined) world.follow(session, id, index >> 1);
    }
  }
}

/** What a follower did not get as the journal has it: the same events at the same positions, none twice, none missing. */
function differences({ options, words }: Follower, journal: readonly Word[], begin: { seq: number }): string[] {
  const { name, after, partial } = options;
  const at = journal.findIndex(({ id }) => id === after);
  const isBegin = at === -1 && after.split(".")[1] === String(begin.seq);
  if (at === -1 && !isBegin) return [`${name}: the journal has no event there.`];
  const due = journal.slice(at + 1).filter((word) => partial || isWhole(word));
  const index = due.findIndex((word, place) => words[place] === undefined || textOf(word) !== textOf(words[place]));
  const place = index === -1 ? (words.length > due.length ? due.length : -1) : index;
  if (place === -1) return [];
  const [expected, got] = [due, words].map((list) => list.slice(Math.max(0, place - 1), place + 3).map(textOf));
  return [`${name} (${partial ? "all" : "whole"}): event ${place}: ${got?.join(", ")}; due: ${expected?.join(", ")}`];
}

/** What is not as it was sent: each message ends once, and an answer is whole, in its result and in its deltas. */
async function answerFaults(world: FollowWorld, sessionId: string, journal: readonly Word[]): Promise<string[]> {
  const first = world.followers.find(({ follower }) => follower.options.sessionId === sessionId)?.follower;
  const sent = world.sent.filter((message) => message.sessionId === sessionId);
  const faults: string[] = [];
  for (const { messageId, answer } of sent) {
    const ends = journal.filter(({ type, turnId }) => type === "result" && turnId === messageId);
    if (ends.length !== 1) faults.push(`Message ${messageId} has ${ends.length} results.`);
    const { state } = await world.sender.waitForReceipt(sessionId, messageId);
    if (state !== "completed" || answer === undefined) continue;
    const own = first?.words.filter(({ turnId }) => turnId === messageId) ?? [];
    const deltas = own.map(({ delta = "" }) => delta).join("");
    if (deltas !== answer) faults.push(`Message ${messageId}: the deltas are not its answer: ${deltas}`);
    const text = own.find(({ type }) => type === "result")?.text;
    if (text !== answer) faults.push(`Message ${messageId}: the result is not its answer: ${text}`);
  }
  return faults;
}
