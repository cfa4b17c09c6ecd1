import type { TransportClose } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { FakeClock, FakeDaemon } from "../../../src/index.js";
import { RawClient } from "../../raw-client.js";

const endOf = ({ transport }: RawClient) =>
  new Promise<TransportClose>((resolve) => {
    transport.onClose = resolve;
  });

test("one connection can be dropped or closed, and the others do not notice", async () => {
  const daemon = new FakeDaemon();
  const [first, second, third] = [
    await RawClient.connect(daemon),
    await RawClient.connect(daemon),
    await RawClient.connect(daemon),
  ];
  const ends = [endOf(first), endOf(second)];
  daemon.connection(1).drop();
  daemon.connection(2).close(1001, "stopping");
  expect(await Promise.all(ends)).toMatchObject([
    { clean: false, code: 1006 },
    { clean: true, code: 1001, reason: "stopping" },
  ]);
  await third.call("ping");
  expect([daemon.connections, daemon.connection().number]).toEqual([1, 3]);
  expect(() => daemon.connection(1)).toThrow("No open connection 1. Open are: 3.");
});

test("a delay holds both directions on the daemon's clock, and keeps the order", async () => {
  const clock = new FakeClock();
  const daemon = new FakeDaemon({ clock });
  const client = await RawClient.connect(daemon);
  daemon.faults.delay(50);
  const calls = ["ping", "list_opened_sessions"].map((method) => client.call(method));
  await clock.advance(49);
  expect(daemon.received.calls("ping")).toHaveLength(0);
  await clock.advance(1);
  expect(daemon.received.slice(1).map(({ method }) => method)).toEqual(["ping", "list_opened_sessions"]);
  client.frames.length = 0;
  await clock.advance(49);
  expect(client.frames).toHaveLength(0);
  await clock.advance(1);
  expect((await Promise.all(calls)).map(({ id }) => id)).toEqual(client.frames.map(({ id }) => id));
  daemon.faults.heal();
  await client.call("ping");
  expect(clock.pendingTimers).toBe(0);
});

test("a stalled connection says nothing in either direction, and goes on when it is healed", async () => {
  const clock = new FakeClock();
  const daemon = new FakeDaemon({ clock });
  const session = daemon.addSession({ id: "s" });
  const client = await RawClient.connect(daemon);
  await client.call("load_session", { sessionId: "s", token: "t" });
  daemon.connection().stall();
  const answer = client.call("ping");
  session.notify({ type: "unheard" });
  await clock.advance(60_000);
  expect([daemon.received.calls("ping").length, client.story.length, daemon.connections]).toEqual([0, 0, 1]);
  daemon.connection().heal();
  await answer;
  await client.waitForNotification("unheard");
});

test("a client that gives up a stalled connection hears its own end only, a polite one after its time", async () => {
  const clock = new FakeClock();
  const daemon = new FakeDaemon({ clock });
  daemon.faults.stall();
  const open = async () => RawClient.open(daemon);
  const [cut, closed] = [await open(), await open()];
  const ends = [endOf(cut), endOf(closed)];
  cut.transport.terminate();
  closed.transport.close();
  expect(await ends[0]).toMatchObject({ clean: false });
  let isEnded = false;
  void ends[1]?.then(() => {
    isEnded = true;
  });
  await clock.advance(1_999);
  expect(isEnded).toBe(false);
  await clock.advance(1);
  expect([isEnded, daemon.connections]).toEqual([true, 2]);
  daemon.faults.heal();
  await clock.settle();
  expect([daemon.connections, clock.pendingTimers]).toEqual([0, 0]);
});

test("a dropped connection ends although it is stalled", async () => {
  const daemon = new FakeDaemon();
  const client = await RawClient.connect(daemon);
  const end = endOf(client);
  daemon.connection().stall();
  daemon.connection().drop();
  expect(await end).toMatchObject({ clean: false });
  expect(daemon.connections).toBe(0);
});

test("a daemon that does not read makes the client's bytes wait in the client", async () => {
  const daemon = new FakeDaemon();
  const client = await RawClient.connect(daemon);
  daemon.faults.slow();
  const piece = JSON.stringify({ filler: "x".repeat(300_000) });
  const results = Array.from({ length: 12 }, () => client.transport.send(piece));
  expect(results.at(-1)).toBe(false);
  await new FakeClock().settle();
  expect(client.transport.bufferedBytes).toBeGreaterThan(1_000_000);
  const writable = new Promise<void>((resolve) => {
    client.transport.onWritable = resolve;
  });
  daemon.faults.heal();
  await writable;
  await client.call("ping");
  expect([daemon.badFrames.length, client.transport.bufferedBytes]).toEqual([12, 0]);
});

test("bad frames, unknown notifications and repeated frames reach the client as they are", async () => {
  const daemon = new FakeDaemon();
  const texts: string[] = [];
  const transport = await daemon.dial({ url: "memory:", signal: new AbortController().signal });
  transport.onMessage = (text) => texts.push(text);
  daemon.faults.sendBadFrame();
  daemon.faults.sendBadFrame("[1]");
  daemon.faults.sendUnknownNotification();
  daemon.faults.repeatLastFrame();
  await new FakeClock().settle();
  expect(() => JSON.parse(texts[0] ?? "")).toThrow(SyntaxError);
  expect(texts[1]).toBe("[1]");
  expect(JSON.parse(texts[2] ?? "")).toMatchObject({ type: "notification", method: "daemon.something_of_tomorrow" });
  expect(texts[3]).toBe(texts[2]);
});

test("faults of the whole daemon hold for connections that come later, until they are healed", async () => {
  const clock = new FakeClock();
  const daemon = new FakeDaemon({ clock });
  daemon.faults.delay(10);
  const late = RawClient.connect(daemon);
  await clock.advance(10);
  await clock.advance(10);
  await late;
  daemon.faults.heal();
  await RawClient.connect(daemon);
  expect(clock.pendingTimers).toBe(0);
});
