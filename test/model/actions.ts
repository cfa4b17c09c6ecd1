import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { DaemonSession, ResultEvent } from "@daemon-sdk/client";
import type { SeededRandom } from "@daemon-sdk/testing";
import type { ChaosConnection } from "@daemon-sdk/testing/node";
import { environmentOf } from "../faults/support/daemon-home.js";
import { within } from "../stress/check.js";
import { Books, type MessageRecord } from "./books.js";
import type { World } from "./world.js";

/** One thing that may happen, and how often compared with the others. */
interface Action {
  readonly name: string;
  readonly weight: number;
  run(world: World, random: SeededRandom): Promise<void> | void;
}

/** A stream that takes longer hangs: turns take a second or two, and a daemon that was killed is back in one. */
const STREAM_MS = 60_000;
const STALL_MS = 1_500;
const FROZEN_MS = 800;

/** Everything that may happen. What takes long is begun and settles beside the others. */
export const ACTIONS: readonly Action[] = [
  { name: "stream", weight: 10, run: (world, random) => streamed(world, random, {}) },
  { name: "stream that acts", weight: 8, run: (world, random) => streamed(world, random, { acts: true }) },
  { name: "stream read slowly", weight: 3, run: (world, random) => streamed(world, random, { pauseMs: 5 }) },
  {
    name: "stream left early",
    weight: 3,
    run: (world, random) => streamed(world, random, { leavesAfter: random.integer(1, 20) }),
  },
  {
    name: "interrupted",
    weight: 3,
    run: (world, random) => streamed(world, random, { interruptsAfter: random.integer(1, 20) }),
  },
  { name: "stream redelivered", weight: 8, run: (world, random) => redelivered(world, random) },
  { name: "send", weight: 6, run: (world, random) => sent(world, random, 1) },
  { name: "send twice", weight: 4, run: (world, random) => sent(world, random, 2) },
  { name: "cut", weight: 6, run: (world, random) => spoil(world, random, (link) => link.cut()) },
  {
    name: "cut inside a frame",
    weight: 6,
    run: (world, random) => spoil(world, random, (link) => cutLater(link, random)),
  },
  {
    name: "delay",
    weight: 2,
    run: (world, random) => spoil(world, random, (link) => link.delay({ minMs: 0, maxMs: 50 })),
  },
  { name: "half-open", weight: 2, run: (world, random) => spoil(world, random, (link) => stalled(world, link)) },
  { name: "agent killed", weight: 2, run: (world, random) => killAgent(world, random) },
  { name: "daemon frozen", weight: 1, run: (world) => frozen(world) },
  { name: "daemon killed", weight: 1.5, run: (world) => restarted(world, "SIGKILL") },
  { name: "daemon stopped", weight: 0.5, run: (world) => restarted(world, "SIGTERM") },
];

/** One of the {@link ACTIONS}, by chance and weight. */
export function drawAction(random: SeededRandom): Action {
  let left = random.next() * ACTIONS.reduce((sum, { weight }) => sum + weight, 0);
  for (const action of ACTIONS) {
    left -= action.weight;
    if (left < 0) return action;
  }
  return ACTIONS[0] as Action;
}

interface Streaming {
  readonly acts?: boolean;
  readonly pauseMs?: number;
  readonly leavesAfter?: number;
  readonly interruptsAfter?: number;
}

function streamed(world: World, random: SeededRandom, how: Streaming): void {
  const { client, session } = world.anyHandle(random);
  // One stream at a time in a session of a client: the SDK refuses a second.
  if (world.isStreaming(client, session.sessionId)) return;
  const record = newMessage(world, session, how.acts === true);
  const prompt = promptOf(record, random, how);
  const end = world.streaming(client, session.sessionId);
  world.begin(`${client.name} streams ${record.messageId}`, () =>
    within(STREAM_MS, play(session, record, prompt, how)).finally(end),
  );
}

/** Streams a message that somebody has sent: it may wait, run, be over, or be on its way. */
function redelivered(world: World, random: SeededRandom): void {
  const { client, session } = world.anyHandle(random);
  if (world.isStreaming(client, session.sessionId)) return;
  const known = world.books.messages.filter(({ sessionId, prompt }) => sessionId === session.sessionId && prompt);
  // Mostly the newest, whose turns are not over.
  const record = known.at(random.chance(0.7) ? -1 : random.integer(0, Math.max(0, known.length - 1)));
  if (record?.prompt === undefined) return;
  const { prompt } = record;
  const end = world.streaming(client, session.sessionId);
  world.begin(`${client.name} streams ${record.messageId} again`, () =>
    within(STREAM_MS, play(session, record, prompt, {})).finally(end),
  );
}

async function play(session: DaemonSession, record: MessageRecord, prompt: string, how: Streaming): Promise<void> {
  const { messageId } = record;
  let events = 0;
  const deltas = new Map<string, string>();
  for await (const event of session.stream(prompt, { messageId, includePartialMessages: true })) {
    events += 1;
    if (event.type === "gap") throw new RangeError("a gap, though nothing was pruned");
    if (event.type === "result") checkResult(record, event);
    if (event.type === "assistant_text_delta")
      deltas.set(event.messageId, (deltas.get(event.messageId) ?? "") + event.text);
    if (event.type === "assistant") {
      const answer = deltas.get(event.message.id);
      if (answer !== undefined && answer !== event.text) throw new RangeError("the deltas are not the message");
    }
    if (how.pauseMs !== undefined) await delay(how.pauseMs);
    if (events === how.interruptsAfter) void session.interrupt().catch(() => {});
    if (events === how.leavesAfter) break;
  }
  if (record.subtype === undefined && how.leavesAfter === undefined)
    throw new RangeError("the stream ended without a result");
}

/** All streams of a message end alike: with one answer where one of them was a success. */
function checkResult(record: MessageRecord, { subtype, text }: ResultEvent): void {
  if (record.subtype !== undefined && record.subtype !== subtype)
    throw new RangeError(`a stream ended with ${record.subtype}, and another one with ${subtype}`);
  if (subtype === "success" && (record.text ?? text) !== text) throw new RangeError("two streams gave two answers");
  record.subtype = subtype;
  if (subtype === "success") record.text = text;
}

function sent(world: World, random: SeededRandom, times: number): void {
  const { client, session } = world.anyHandle(random);
  const record = newMessage(world, session, random.chance(0.5));
  const prompt = promptOf(record, random, { acts: record.acts });
  const { messageId } = record;
  world.begin(`${client.name} sends ${messageId}`, async () => {
    const sending = Array.from({ length: times }, () => session.send(prompt, { messageId }));
    await within(STREAM_MS, Promise.all(sending));
  });
}

function newMessage(world: World, { sessionId }: DaemonSession, acts: boolean): MessageRecord {
  return world.books.sent({ messageId: world.newMessageId(), sessionId, acts });
}

function promptOf(record: MessageRecord, random: SeededRandom, how: Streaming): string {
  record.prompt = newPrompt(record, random, how);
  return record.prompt;
}

function newPrompt(
  { messageId, sessionId, acts }: MessageRecord,
  random: SeededRandom,
  { leavesAfter, interruptsAfter }: Streaming,
): string {
  if (acts) return `say now ; then append ${Books.fileOf(sessionId)}: ${messageId}\\n ; then say done`;
  const isCutShort = leavesAfter !== undefined || interruptsAfter !== undefined;
  return `count ${isCutShort ? 400 : random.integer(5, 80)} every ${random.integer(1, 10)}`;
}

function spoil(world: World, random: SeededRandom, how: (link: ChaosConnection) => void): void {
  const { proxy } = world.clients[random.integer(0, world.clients.length - 1)] ?? {};
  for (const link of proxy?.connections ?? []) how(link);
}

function cutLater(link: ChaosConnection, random: SeededRandom): void {
  const lane = random.chance(0.7) ? link.toClient : link.toServer;
  lane.cutAt(lane.passedBytes + random.integer(0, 3_000));
}

/** Half-open for a while; longer than the heartbeat allows, so that the client makes a new link meanwhile. */
function stalled(world: World, link: ChaosConnection): void {
  link.stall();
  world.begin("a half-open link", async () => {
    await delay(STALL_MS);
    link.cut();
  });
}

function killAgent(world: World, random: SeededRandom): void {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const ours = pids.map(Number).filter((pid) => {
    const environment = environmentOf(pid);
    return world.sessionIds.some((id) => environment.includes(`\0DAEMON_SDK_SESSION=${id}\0`));
  });
  const victim = ours[random.integer(0, Math.max(0, ours.length - 1))];
  if (victim !== undefined) process.kill(victim, "SIGKILL");
}

async function frozen({ daemon }: World): Promise<void> {
  process.kill(daemon.pid, "SIGSTOP");
  await delay(FROZEN_MS);
  process.kill(daemon.pid, "SIGCONT");
}

async function restarted({ daemon }: World, signal: NodeJS.Signals): Promise<void> {
  // Twice where it is asked politely: running turns need not finish.
  await daemon.end(...(signal === "SIGTERM" ? (["SIGTERM", "SIGINT"] as const) : [signal]));
  await daemon.start();
}
