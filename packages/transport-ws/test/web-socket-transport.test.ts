import type { Logger, TransportClose } from "@daemon-sdk/protocol";
import { LIMITS } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { dialWebSocket } from "../src/index.js";
import type { WebSocketTransport } from "../src/web-socket-transport.js";
import { Listener } from "./connection-pair.js";
import { RawServer, switching } from "./raw-server.js";

function endOf(transport: WebSocketTransport): Promise<TransportClose> {
  return new Promise((resolve) => {
    transport.onClose = resolve;
  });
}

/** Resolves when `value` has not changed for many turns of the event loop. */
async function standsStill(value: () => number): Promise<void> {
  let last = Number.NaN;
  for (let same = 0; same < 200; same++) {
    if (value() !== last) same = 0;
    last = value();
    await new Promise(setImmediate);
  }
}

test("the code and reason of a close reach both sides", async () => {
  await using listener = await Listener.open("tcp");
  const { near, far } = await listener.connect();
  const ends = Promise.all([endOf(near), endOf(far)]);
  near.close(4401, "enough");
  const end = { clean: true, code: 4401, reason: "enough" };
  expect(await ends).toEqual([end, end]);
});

test("a code that may not be sent becomes 1000, and a long reason is cut between characters", async () => {
  await using listener = await Listener.open("tcp");
  const { near, far } = await listener.connect();
  const end = endOf(far);
  near.close(1006, "é".repeat(100));
  expect(await end).toEqual({ clean: true, code: 1000, reason: "é".repeat(61) });
});

test("a peer that never answers a close is cut off when its time is up", async () => {
  await using server = await RawServer.upgrading((accept) => switching(accept));
  const transport = await dialWebSocket(`ws://${server.authority}/`);
  const start = performance.now();
  const end = endOf(transport);
  transport.close();
  expect(await end).toMatchObject({ clean: false, code: 1006 });
  expect(performance.now() - start).toBeGreaterThan(LIMITS.closeTimeoutMs * 0.9);
  await server.emptied();
});

test("an end that came before onClose was set is told once it is", async () => {
  await using listener = await Listener.open("tcp");
  const { near, far } = await listener.connect();
  const end = endOf(near);
  near.close();
  await end;
  await new Promise(setImmediate);
  expect(await endOf(far)).toMatchObject({ clean: true });
});

test("a peer that floods an owner who does not listen yet is slowed down, not stored", async () => {
  await using listener = await Listener.open("tcp");
  const { near, far } = await listener.connect({ highWaterBytes: 64 * 1024 });
  const text = "x".repeat(1024 * 1024);
  const sent = 64;
  for (let count = 0; count < sent; count++) far.send(text);
  // The kernel holds some megabytes; what the sender still holds shows that the receiver has stopped reading.
  await standsStill(() => far.bufferedBytes);
  expect(far.bufferedBytes).toBeGreaterThan((sent / 2) * text.length);
  let heard = 0;
  await new Promise<void>((resolve) => {
    near.onMessage = () => {
      if (++heard === sent) resolve();
    };
  });
  expect(far.bufferedBytes).toBe(0);
});

test("terminate inside a handler stops the messages that came in the same packet", async () => {
  await using listener = await Listener.open("tcp");
  const { near, far } = await listener.connect();
  const heard: string[] = [];
  near.onMessage = (text) => {
    heard.push(text);
    near.terminate();
  };
  const end = endOf(near);
  for (const text of ["one", "two", "three"]) far.send(text);
  await end;
  expect(heard).toEqual(["one"]);
});

test("a broken socket is unclean and names its cause", async () => {
  await using listener = await Listener.open("tcp");
  const { near, far } = await listener.connect();
  const end = endOf(near);
  near.onMessage = () => {};
  // Unread bytes in the kernel make the reset a hard one.
  for (let count = 0; count < 16; count++) near.send("x".repeat(1024 * 1024));
  await new Promise(setImmediate);
  far.terminate();
  const event = await end;
  expect(event).toMatchObject({ clean: false, code: 1006, error: { code: "CONNECTION_LOST" } });
  expect(near.bufferedBytes).toBe(0);
});

test("a handler's error reaches the logger, with the handler's name", async () => {
  const seen: object[] = [];
  const silent = () => {};
  const logger: Logger = { debug: silent, info: silent, warn: silent, error: (fields) => seen.push(fields) };
  await using listener = await Listener.open("unix");
  const { near, far } = await listener.connect({ logger });
  near.onMessage = () => {
    throw new RangeError("mine");
  };
  const end = endOf(near);
  far.send("x");
  far.close();
  await end;
  expect(seen).toMatchObject([{ handler: "onMessage", error: { message: "mine" } }]);
});

test("nothing that could hold the process is left of a closed, a terminated and a failed link", async () => {
  const resources = () => process.getActiveResourcesInfo().filter((one) => /TCP|Timeout|Pipe/.test(one));
  const before = resources();
  {
    await using listener = await Listener.open("tcp");
    for (const end of ["close", "terminate"] as const) {
      const { near, far } = await listener.connect();
      const ends = Promise.all([endOf(near), endOf(far)]);
      near[end]();
      await ends;
    }
    await expect(dialWebSocket("ws://127.0.0.1:1/")).rejects.toThrow("Could not connect");
  }
  // A closed handle is listed until the loop has told its end.
  await expect.poll(resources).toEqual(before);
});
