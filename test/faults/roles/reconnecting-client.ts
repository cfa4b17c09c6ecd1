import { getEventListeners } from "node:events";
import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type ConnectionStatus, connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { CountingClock } from "../support/counting-clock.js";
import { endWithScenario, type Message, say } from "./role.js";

/**
 * A client whose link is cut again and again by the scenario. It counts what it holds: listeners, timers, descriptors, memory.
 * Needs `--expose-gc`; `{ reconnects: n }` waits until it has come back that often, `{ holdings: true }` counts.
 */
export async function playReconnectingClient([url = "", token = "", cwd = ""]: readonly string[]): Promise<void> {
  endWithScenario();
  const clock = new CountingClock();
  const { signal } = new AbortController();
  const statuses: ConnectionStatus["type"][] = [];
  let tell = () => {};
  const connection = await connectDaemon({
    url,
    token,
    clock,
    signal,
    onStatus: ({ type }) => {
      statuses.push(type);
      tell();
    },
  });
  const session = await connection.createSession({ cwd });
  const heard = new Map<string, number>();
  session.onNotification(({ type }) => void heard.set(type, (heard.get(type) ?? 0) + 1));
  const connected = () => statuses.filter((type) => type === "connected").length;
  process.on("message", async ({ connected: wanted }: Message) => {
    while (wanted !== undefined && connected() < Number(wanted)) {
      await new Promise<void>((resolve) => {
        tell = resolve;
      });
    }
    if (wanted !== undefined) await useIt(connection, session, Number(wanted));
    say(wanted === undefined ? await holdings(clock, signal) : { connected: connected() });
  });
  say({ ready: true });
}

/** A call and, now and then, a turn over the new link: it is in use, not only open. */
async function useIt(connection: DaemonConnection, session: DaemonSession, round: number): Promise<void> {
  await connection.listOpenedSessions();
  if (round % 100 === 0) for await (const event of session.stream("say hello")) void event;
}

async function holdings(clock: CountingClock, signal: AbortSignal): Promise<Message> {
  for (let round = 0; round < 3; round += 1) {
    await delay(30);
    globalThis.gc?.();
  }
  const names = process.eventNames();
  return {
    timers: clock.pending,
    listeners: names.reduce(
      (sum, name) => sum + process.listenerCount(name),
      getEventListeners(signal, "abort").length,
    ),
    descriptors: readdirSync("/proc/self/fd").length,
    resources: process.getActiveResourcesInfo().sort().join(" "),
    heapUsed: process.memoryUsage().heapUsed,
  };
}
