import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type Logger, silentLogger, type TransportClose } from "@daemon-sdk/protocol";
import { type TransportPair, transportContract } from "@daemon-sdk/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StdioTransport } from "../../src/agents/drivers/stdio-transport.js";
import { tempDir } from "./agent-harness.js";

const highWaterBytes = 64 * 1024;
const maxMessageBytes = 256 * 1024;

/** Laws that a pipe cannot keep, and what holds instead; the tests below show each. */
const READ_DIFFERENTLY = new Map([
  ["T1-whole", "an empty line is no message"],
  ["T4-polite-close", "a pipe carries no close code"],
  ["T5-cut", "the end of a pipe looks the same whoever caused it"],
  ["T5-terminate", "the end of a pipe looks the same whoever caused it"],
  ["T11-bound", "a line over the limit is skipped, because agents print strange things"],
]);

const directory = await tempDir();
const path = join(directory.path, "pipes");
const server = createServer({ allowHalfOpen: true });

beforeAll(async () => {
  server.listen(path);
  await once(server, "listening");
});
afterAll(async () => {
  server.close();
  await directory[Symbol.asyncDispose]();
});

/** One direction: what is written to the first comes out of the second, through the kernel. */
async function pipe(): Promise<[Socket, Socket]> {
  const accepted = once(server, "connection");
  const writing = createConnection({ path, allowHalfOpen: true });
  const [reading] = (await accepted) as [Socket];
  return [writing, reading];
}

async function connect(): Promise<TransportPair> {
  const [nearOut, farIn] = await pipe();
  const [farOut, nearIn] = await pipe();
  const limits = { highWaterBytes, maxLineBytes: maxMessageBytes, logger: silentLogger };
  return {
    near: new StdioTransport({ input: nearIn, output: nearOut, ...limits }),
    far: new StdioTransport({ input: farIn, output: farOut, ...limits }),
    cut: () => {
      for (const socket of [nearOut, nearIn, farOut, farIn]) socket.destroy();
    },
  };
}

describe("StdioTransport keeps the laws of Transport that a pipe can keep", () => {
  for (const { id, title, run } of transportContract.filter((one) => !READ_DIFFERENTLY.has(one.id))) {
    test(`${id} ${title}`, () => expect(run({ highWaterBytes, maxMessageBytes, connect })).resolves.toBeUndefined());
  }

  test("and the exceptions name cases that exist", () => {
    const ids = transportContract.map(({ id }) => id);
    for (const id of READ_DIFFERENTLY.keys()) expect(ids).toContain(id);
  });
});

/** A transport whose input the test writes, with all it tells. */
function listening(logger: Logger = silentLogger) {
  const input = new PassThrough();
  const output = new PassThrough();
  const transport = new StdioTransport({ input, output, maxLineBytes: 100, logger });
  const lines: string[] = [];
  transport.onMessage = (text) => lines.push(text);
  const end = new Promise<TransportClose>((resolve) => {
    transport.onClose = resolve;
  });
  return { input, output, transport, lines, end };
}

describe("where a pipe is no socket", () => {
  test("its end is a clean close", async () => {
    const { input, lines, end } = listening();
    input.end("one\n\ntwo\n");
    expect(await end).toMatchObject({ clean: true, code: 1000 });
    expect(lines).toEqual(["one", "two"]);
  });

  test.each(["ended", "destroyed"])("one that has %s before anybody reads is closed all the same", async (how) => {
    const input = new PassThrough();
    if (how === "ended") input.end();
    input.resume();
    if (how === "destroyed") input.destroy();
    await once(input, "close");
    const transport = new StdioTransport({ input, output: new PassThrough() });
    const closed = new Promise<TransportClose>((resolve) => {
      transport.onClose = resolve;
    });
    transport.onMessage = () => {};
    expect(await closed).toMatchObject({ clean: true });
  });

  test("its end in the middle of a line is unclean, and what came of the line is delivered", async () => {
    const { input, lines, end } = listening();
    input.end("one\ntw");
    expect(await end).toMatchObject({ clean: false, code: 1006, reason: expect.stringContaining("middle of a line") });
    expect(lines).toEqual(["one", "tw"]);
  });

  test("a pipe that breaks is unclean, and says what broke it", async () => {
    const { input, end } = listening();
    input.destroy(new RangeError("torn"));
    expect(await end).toMatchObject({ clean: false, error: expect.objectContaining({ message: "torn" }) });
  });

  test("a line that is too long or no UTF-8 is skipped, counted and logged; later ones are delivered", async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) };
    const { input, transport, lines, end } = listening(logger);
    input.write(`${"x".repeat(101)}\n`);
    input.write(Buffer.from([0xff, 0xfe, 0x0a]));
    input.end("fine\n");
    await end;
    expect(lines).toEqual(["fine"]);
    expect(transport.badLines).toBe(2);
    expect(warnings).toHaveLength(2);
  });

  test("when nobody reads its output any more, what it hears is still delivered", async () => {
    const { input, output, transport, lines, end } = listening();
    const broken = new Promise<Error>((resolve) => {
      transport.onBroken = resolve;
    });
    output.destroy(Object.assign(new RangeError("write EPIPE"), { code: "EPIPE" }));
    expect((await broken).message).toBe("write EPIPE");
    expect(transport.send("lost")).toBe(false);
    expect(transport.bufferedBytes).toBe(0);
    input.end("last words\n");
    await end;
    expect(lines).toEqual(["last words"]);
  });
});

describe("its economy", () => {
  test("so many messages wait for a reader that never reads; one that reads late gets all of them", async () => {
    const output = new PassThrough();
    const transport = new StdioTransport({
      input: new PassThrough(),
      output,
      highWaterBytes: 1,
      maxUnread: { unreadMessages: 1_000, unreadBytes: 1_000_000 },
    });
    const broken = new Promise<Error>((resolve) => {
      transport.onBroken = resolve;
    });
    for (let round = 0; round < 3; round += 1) {
      for (let message = 0; message < 1_000; message += 1) transport.send("x".repeat(100));
      const read = new Promise<void>((resolve) => {
        transport.onWritable = resolve;
      });
      output.resume();
      await read;
      output.pause();
    }
    for (let message = 0; message < 1_001; message += 1) transport.send("x".repeat(100));
    expect(await broken).toMatchObject({ code: "SLOW_CONSUMER", message: expect.stringContaining("(unreadMessages)") });
    expect([transport.send("more"), transport.bufferedBytes]).toEqual([false, 0]);
    transport.terminate();
  });

  test("so many bytes wait for a reader that never reads, and one message more, however long", async () => {
    const maxUnread = { unreadMessages: 1_000, unreadBytes: 1_000_000 };
    const transport = new StdioTransport({ input: new PassThrough(), output: new PassThrough(), maxUnread });
    const broken = new Promise<Error>((resolve) => {
      transport.onBroken = resolve;
    });
    for (const chars of [900_000, 5_000_000]) expect(transport.send("x".repeat(chars))).toBeDefined();
    expect(transport.bufferedBytes).toBeGreaterThan(5_900_000);
    transport.send("one more");
    expect(await broken).toMatchObject({ code: "SLOW_CONSUMER", message: expect.stringContaining("(unreadBytes)") });
    expect(transport.bufferedBytes).toBe(0);
    transport.terminate();
  });

  test("lines sent in one tick leave in one write", async () => {
    const { output, transport } = listening();
    for (let i = 0; i < 100; i++) transport.send(`line ${i}`);
    const [chunk] = (await once(output, "data")) as [Buffer];
    expect(chunk.toString().split("\n")).toHaveLength(101);
  });

  test("paused, it reads nothing; resumed, it has lost nothing", async () => {
    const { input, transport, lines, end } = listening();
    transport.setPaused(true);
    for (let i = 0; i < 10; i++) input.write(`${i}\n`);
    input.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines).toEqual([]);
    transport.setPaused(false);
    await end;
    expect(lines).toHaveLength(10);
  });
});
