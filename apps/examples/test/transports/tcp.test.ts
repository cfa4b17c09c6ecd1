import { type AddressInfo, createServer, type Socket } from "node:net";
import { runTransportContract, type TransportPair } from "@daemon-sdk/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StreamTransport } from "../../src/transports/stream-transport.js";
import { dialTcp, openGateway } from "../../src/transports/tcp.js";

const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };
const dial = dialTcp(bounds);
const signal = new AbortController().signal;

describe("length-prefixed frames over TCP keep the transport contract", () => {
  let taken: (socket: Socket) => void = () => {};
  const server = createServer((socket) => taken(socket));
  beforeAll(() => new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening)));
  afterAll(() => new Promise((closed) => server.close(closed)));

  async function connect(): Promise<TransportPair> {
    const accepted = new Promise<Socket>((resolve) => {
      taken = resolve;
    });
    const { port } = server.address() as AddressInfo;
    const near = await dial({ url: `tcp://127.0.0.1:${port}`, signal });
    const socket = await accepted;
    const far = new StreamTransport({ ...bounds, input: socket, output: socket });
    return { near, far, cut: () => socket.destroy() };
  }

  test("what was sent before the other side's close arrives, however much it is", async () => {
    const { near, far } = await connect();
    const text = "x".repeat(200_000);
    let heard = 0;
    near.onMessage = () => void heard++;
    far.onMessage = () => {};
    for (let sent = 0; sent < 64; sent++) far.send(text);
    near.close();
    const end = await new Promise((resolve) => {
      near.onClose = resolve;
    });
    expect(heard).toBe(64);
    expect(end).toMatchObject({ clean: true });
  });

  describe("sent by the one who dials", () => runTransportContract(test, { ...bounds, connect }));

  describe("sent by the one who accepts", () => {
    runTransportContract(test, {
      ...bounds,
      async connect() {
        const { near, far, cut } = await connect();
        return { near: far, far: near, cut };
      },
    });
  });
});

test("a port where nobody listens is CONNECTION_FAILED", async () => {
  const gateway = await openGateway(() => Promise.reject(new RangeError("no daemon")));
  const url = `tcp://127.0.0.1:${gateway.port}`;
  await gateway.close();
  await expect(dial({ url, signal })).rejects.toMatchObject({ code: "CONNECTION_FAILED", retryable: true });
});

test("a dial that is given up rejects with the signal's reason", async () => {
  const given = AbortSignal.abort(new RangeError("enough"));
  await expect(dial({ url: "tcp://127.0.0.1:1", signal: given })).rejects.toThrow("enough");
});

test("a gateway that cannot reach its daemon says so and ends the link", async () => {
  const gateway = await openGateway(() => Promise.reject(new RangeError("no daemon")));
  const transport = await dial({ url: `tcp://127.0.0.1:${gateway.port}`, signal });
  transport.onMessage = () => {};
  const end = await new Promise((resolve) => {
    transport.onClose = resolve;
  });
  expect(end).toMatchObject({ code: 4500, reason: "the daemon cannot be reached" });
  await gateway.close();
});
