import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { endWithScenario, type Message, say } from "./role.js";

const OPENING_AT_ONCE = 200;
const TURNS_AT_ONCE = 20;

type NotificationListener = Parameters<DaemonSession["onNotification"]>[0];

/** Commands of {@link playMeasuredClient}. */
type Task = (connection: DaemonConnection, message: Message) => Promise<Message>;

const TASKS: ReadonlyMap<string, Task> = new Map<string, Task>([
  ["open", (connection, { count }) => openAndListen(connection, Number(count), inOrderOfEach)],
  ["open for one listener", (connection, { count }) => openAndListen(connection, Number(count), () => inOrderOfAll)],
  ["turns", (connection, { count }) => runTurns(connection, Number(count))],
  ["breaks", (connection, { count }) => breakOut(connection, Number(count))],
  ["memory", async () => ({ ...(await settledMemory()) })],
  ["receive", (_connection, message) => receive(message)],
]);

/** Our client in a process of its own, so that its memory can be measured. Needs `--expose-gc`; `{ task }` says what to do. */
export async function playMeasuredClient([url = ""]: readonly string[]): Promise<void> {
  endWithScenario();
  const connection = await connectDaemon({ url, apiKey: "any" });
  process.on("message", (message: Message) => {
    const task = TASKS.get(String(message.task));
    void task?.(connection, message).then(say, (error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
  say({ ready: true });
}

/** What the listeners have seen since it was last asked for. */
const seen = { ever: 0, events: 0, misplaced: 0, wanted: 0, all: () => {} };
/** Held, or a session that nobody can reach any more would cost nothing. */
const held: DaemonSession[] = [];

async function openAndListen(
  connection: DaemonConnection,
  count: number,
  makeListener: () => NotificationListener,
): Promise<Message> {
  for (let opened = 0; opened < count; opened += OPENING_AT_ONCE) {
    const first = held.length;
    const batch = Array.from({ length: Math.min(OPENING_AT_ONCE, count - opened) }, async (_none, index) => {
      // Ids as the daemon would make them, so that memory is what it is in earnest.
      const sessionId = `0d3c6a1e-8a54-4d0e-9a5b-${String(first + index).padStart(12, "0")}`;
      const session = await connection.createSession({ cwd: "/", sessionId });
      session.onNotification(makeListener());
      held.push(session);
    });
    await Promise.all(batch);
  }
  return { opened: held.length };
}

/** Holds a session's events against its own. */
function inOrderOfEach(): NotificationListener {
  let last = 0;
  return (notification) => {
    const seq = seqOf(notification);
    take(seq === last + 1);
    last = seq;
  };
}

/** Listens to all sessions, which are fed in turns: it remembers as much with ten thousand of them as with one. */
const inOrderOfAll: NotificationListener = (notification) => {
  take(seqOf(notification) === Math.floor(seen.ever / held.length) + 1);
  seen.ever += 1;
};

function seqOf(notification: Parameters<NotificationListener>[0]): number {
  return Number(String(notification.textDelta).slice(7));
}

function take(isInOrder: boolean): void {
  if (!isInOrder) seen.misplaced += 1;
  seen.events += 1;
  if (seen.events === seen.wanted) seen.all();
}

/** Waits for that many events of all sessions. Returns how many were not the next one of their session. */
async function receive({ count }: Message): Promise<Message> {
  Object.assign(seen, { events: 0, misplaced: 0, wanted: Number(count) });
  const all = new Promise<void>((resolve) => {
    seen.all = resolve;
  });
  const started = performance.now();
  say({ isListening: true });
  await all;
  return { tookMs: performance.now() - started, events: seen.events, misplaced: seen.misplaced };
}

/** Sessions that are opened, streamed to their end and closed; then whether any of them can still be reached. */
async function runTurns(connection: DaemonConnection, count: number): Promise<Message> {
  const references: WeakRef<object>[] = [];
  let deltas = 0;
  await inBatches(count, async () => {
    const session = await connection.createSession({ cwd: "/" });
    for await (const event of session.stream("go", { includePartialMessages: true })) {
      if (event.type === "assistant_text_delta") deltas += 1;
    }
    await session.close();
    references.push(new WeakRef(session));
  });
  await settledMemory();
  return { deltas, alive: references.filter((reference) => reference.deref() !== undefined).length };
}

/** Streams that are left at their first delta. */
async function breakOut(connection: DaemonConnection, count: number): Promise<Message> {
  const references: WeakRef<object>[] = [];
  let left = 0;
  await inBatches(count, async () => {
    const session = await connection.createSession({ cwd: "/" });
    const stream = session.stream("go", { includePartialMessages: true });
    for await (const event of stream) if (event.type === "assistant_text_delta") break;
    left += 1;
    await session.close();
    references.push(new WeakRef(stream));
  });
  await settledMemory();
  return { left, alive: references.filter((reference) => reference.deref() !== undefined).length };
}

async function inBatches(count: number, each: () => Promise<void>): Promise<void> {
  for (let done = 0; done < count; done += TURNS_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(TURNS_AT_ONCE, count - done) }, each));
  }
}

/** Memory after garbage collection. */
async function settledMemory(): Promise<{ heapUsed: number; rss: number }> {
  for (let round = 0; round < 3; round += 1) {
    await delay(20);
    globalThis.gc?.();
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heapUsed, rss };
}
