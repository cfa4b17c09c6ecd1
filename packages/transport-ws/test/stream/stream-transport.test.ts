import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { runTransportContract } from "@daemon-sdk/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StreamTransport } from "../../src/index.js";

const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };
const server = createServer();

beforeAll(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterAll(() => new Promise((closed) => server.close(closed)));

async function sockets(): Promise<[near: Socket, far: Socket]> {
  const accepted = once(server, "connection");
  const { port } = server.address() as { port: number };
  const near = connect(port, "127.0.0.1").setNoDelay(true);
  const [far] = (await accepted) as [Socket];
  return [near, far];
}

const over = (socket: Socket) => new StreamTransport({ ...bounds, input: socket, output: socket });

describe("frames over a stream of bytes keep the transport contract", () => {
  describe("sent by the one who dials", () => {
    runTransportContract(test, {
      ...bounds,
      async connect() {
        const [near, far] = await sockets();
        return { near: over(near), far: over(far), cut: () => far.destroy() };
      },
    });
  });
  describe("sent by the one who accepts", () => {
    runTransportContract(test, {
      ...bounds,
      async connect() {
        const [near, far] = await sockets();
        return { near: over(far), far: over(near), cut: () => far.destroy() };
      },
    });
  });
});

describe("a stream transport", () => {
  /** The example of docs/transports.md. */
  const FRAMES = "00 00 00 03 00 c3 a9 21  00 00 00 08 01 31 30 30 30 20 62 79 65";

  test("writes the frames that the documents show", async () => {
    const output = new PassThrough();
    const transport = new StreamTransport({ input: new PassThrough(), output });
    transport.send("é!");
    transport.close(1000, "bye");
    expect(Buffer.concat(await output.toArray()).toString("hex")).toBe(FRAMES.replaceAll(/\s/g, ""));
    transport.terminate();
  });

  test("reads them byte by byte, and skips frames of kinds that it does not know", async () => {
    const input = new PassThrough();
    const transport = new StreamTransport({ input, output: new PassThrough() });
    const messages: string[] = [];
    transport.onMessage = (text) => messages.push(text);
    const end = new Promise((resolve) => {
      transport.onClose = resolve;
    });
    const bytes = Buffer.from(`00000001 09 41 ${FRAMES}`.replaceAll(/\s/g, ""), "hex");
    for (const byte of bytes) input.write(Buffer.of(byte));
    expect(await end).toEqual({ clean: true, code: 1000, reason: "bye" });
    expect(messages).toEqual(["é!"]);
  });

  test("reports a stream that breaks as CONNECTION_LOST, with its cause", async () => {
    const input = new PassThrough();
    const transport = new StreamTransport({ input, output: new PassThrough() });
    const end = new Promise((resolve) => {
      transport.onClose = resolve;
    });
    input.destroy(new RangeError("unplugged"));
    expect(await end).toMatchObject({
      clean: false,
      code: 1006,
      error: { code: "CONNECTION_LOST", message: expect.stringContaining("unplugged") },
    });
  });
});
