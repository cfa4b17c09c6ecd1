import { FakeDaemon, type FakeDaemonOptions, type FakeSession } from "@daemon-sdk/testing";
import {
  connectDaemon,
  type DaemonConnection,
  type FollowedEvent,
  MessageBridge,
  type SessionFollow,
  type SessionNotification,
} from "../../../src/index.js";

/** A fake daemon, a connection to it, and a session that no connection is attached to. */
export async function watched(options: FakeDaemonOptions = {}) {
  const daemon = new FakeDaemon(options);
  const on = daemon.addSession();
  const connection = await connectDaemon({ transport: daemon.dial, apiKey: "fk-test" });
  return { daemon, on, connection, sessionId: on.id };
}

/** The first events of a follow, until one fits; the follow goes on. */
export async function until(follow: SessionFollow, fits: (event: FollowedEvent) => boolean): Promise<FollowedEvent[]> {
  const events: FollowedEvent[] = [];
  for (;;) {
    const { value } = await follow.next();
    if (value === undefined) throw new TypeError(`The follow ended after ${events.length} events`);
    events.push(value);
    if (fits(value)) return events;
  }
}

/** All events of a follow that ends by itself. */
export async function all(follow: SessionFollow): Promise<FollowedEvent[]> {
  const events: FollowedEvent[] = [];
  for await (const event of follow) events.push(event);
  return events;
}

/** So many events of a follow, which ends then. */
export async function take(follow: SessionFollow, count: number): Promise<FollowedEvent[]> {
  const events: FollowedEvent[] = [];
  if (count > 0) await until(follow, (event) => events.push(event) === count);
  await follow.return();
  return events;
}

/** Sends prompts by id, each after the end of the one before. */
export async function turns(connection: DaemonConnection, sessionId: string, prompts: readonly string[]) {
  const ids: string[] = [];
  for (const prompt of prompts) {
    const { messageId } = await connection.send(sessionId, prompt);
    await connection.waitForReceipt(sessionId, messageId);
    ids.push(messageId);
  }
  return ids;
}

/** Type and position of each event that the journal's entries stand for, the results of turns included. */
export function expected({ journal }: FakeSession, fromSeq = 1): string[] {
  const bridge = new MessageBridge({ includePartialMessages: true });
  const words: string[] = [];
  for (let seq = 1; ; seq++) {
    const entry = journal.entry(seq);
    if (entry === undefined) return words;
    const { requestId, method, params } = entry;
    const notification: SessionNotification | undefined =
      requestId === undefined
        ? (params as { notification?: SessionNotification }).notification
        : { type: "request_opened", requestId, method, params };
    if (notification === undefined) continue;
    const types = bridge.push(notification).map(({ type }) => type as string);
    if (notification.type === "agent_turn_completed") types.push("result");
    if (seq < fromSeq) continue;
    const { epoch } = entry.position;
    types.forEach((type, index) => {
      const isLast = index === types.length - 1;
      words.push(isLast ? `${type} ${epoch}.${seq}` : `${type} ${epoch}.${seq - 1}+${index + 1}`);
    });
  }
}

/** An event as {@link expected} names it. */
export function word({ type, position: { epoch, seq, part } }: FollowedEvent): string {
  return part === undefined ? `${type} ${epoch}.${seq}` : `${type} ${epoch}.${seq}+${part}`;
}
