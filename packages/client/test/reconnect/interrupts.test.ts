import type { FakeDaemonOptions } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import type { DaemonSession, DroidStreamEvent } from "../../src/index.js";
import { hang, rejection } from "../support.js";
import { cameBack, type Linked, linked } from "./support.js";

/** A session in the middle of a turn that ends when it is interrupted only, on a link that takes what is said and does nothing. */
async function stalledInTurn(options: FakeDaemonOptions = {}) {
  const link = await linked(options);
  link.daemon.onPrompt(hang());
  const session = await link.connection.createSession();
  const stream = session.stream("work", { includePartialMessages: true });
  for (;;) {
    const { value } = await stream.next();
    if (value?.type === "assistant_text_delta") break;
  }
  link.daemon.faults.stall();
  return { link, session, stream };
}

/** Cuts the link under what was said on it, and waits for the next one. */
async function lose(link: Linked): Promise<void> {
  await link.clock.settle();
  link.daemon.cut();
  link.daemon.faults.heal();
  await link.clock.settle();
  await cameBack(link);
  await link.clock.settle();
}

/** Params of the interrupts that the daemon heard, without the session's id. */
function heard({ daemon }: Linked): object[] {
  const calls = [...daemon.received].filter(({ method }) => method === "interrupt_session");
  return calls.map(({ params }) => {
    const { sessionId: _, ...rest } = params as { sessionId: string };
    return rest;
  });
}

const stateOf = ({ daemon }: Linked, { sessionId }: DaemonSession, messageId: string) =>
  daemon.sessions.get(sessionId)?.receipts.of(messageId).state;

test("a stream that is left while its link dies interrupts its turn on the next one", async () => {
  const { link, session, stream } = await stalledInTurn();
  await stream.return();
  await lose(link);
  expect(heard(link)).toEqual([{ messageId: stream.messageId }]);
  expect(stateOf(link, session, stream.messageId)).toBe("interrupted");
});

test("that interrupt waits for a link as long as the connection looks for one", async () => {
  const { link, session, stream } = await stalledInTurn();
  link.daemon.stop();
  await link.clock.settle();
  await stream.return();
  await link.clock.advance(120_000);
  link.daemon.faults.heal();
  link.daemon.start();
  await cameBack(link);
  await link.clock.settle();
  expect(stateOf(link, session, stream.messageId)).toBe("interrupted");
});

test("interrupt() of the turn that a stream reads is made again when its link dies, and the stream tells its end", async () => {
  const { link, session, stream } = await stalledInTurn();
  const interrupting = session.interrupt();
  const events: DroidStreamEvent[] = [];
  const reading = (async () => {
    for await (const event of stream) events.push(event);
  })();
  await lose(link);
  await interrupting;
  await reading;
  expect(heard(link)).toEqual([{ messageId: stream.messageId }]);
  expect(events.at(-1)).toMatchObject({ type: "result", subtype: "interrupted" });
});

test("interrupt() of a turn that nobody here reads is not made again: it might hit another one", async () => {
  const link = await linked();
  link.daemon.onPrompt(hang());
  const session = await link.connection.createSession();
  await session.send("work");
  link.daemon.faults.stall();
  const interrupting = rejection(session.interrupt());
  await lose(link);
  expect(await interrupting).toMatchObject({ code: "CONNECTION_LOST" });
  expect(heard(link)).toEqual([]);
});

test.each([
  { kind: "a plain daemon", options: { plain: true } },
  { kind: "a daemon that does not offer turnInterrupt", options: { without: ["turnInterrupt" as const] } },
])("$kind is told of no turn, and is not told again", async ({ options }) => {
  const { link, session, stream } = await stalledInTurn(options);
  const interrupting = rejection(session.interrupt());
  await stream.return();
  await link.clock.settle();
  link.daemon.cut();
  expect(await interrupting).toMatchObject({ code: "CONNECTION_LOST" });
  link.daemon.faults.heal();
  await cameBack(link);
  await link.clock.settle();
  expect(heard(link)).toEqual([]);
  await session.interrupt();
  expect(heard(link)).toEqual([{}]);
});
