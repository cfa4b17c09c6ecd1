import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Transport } from "@daemon-sdk/protocol";
import { runTransportContract } from "@daemon-sdk/testing";
import { acceptWebSocket } from "@daemon-sdk/transport-ws";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dialCommand } from "../../src/transports/stdio.js";

const BRIDGE = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "dist", "stdio-bridge.js");
/** Says that it is ready and hears nothing after that. Its socket to the test is open as long as it lives. */
const DEAF_PROGRAM = `require("node:net").connect(process.argv[1], () => process.stdout.write("ready"))`;
const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };
const signal = new AbortController().signal;

/** The far end stands where the daemon would: behind the bridge program, at the other end of its WebSocket. */
describe("frames over the stdio of a child process keep the transport contract", () => {
  let directory = "";
  let url = "";
  let taken: (far: { transport: Transport; cut(): void }) => void = () => {};
  const server = createServer();
  server.on("upgrade", async (request, socket, head) => {
    const transport = await acceptWebSocket(request, socket, head, bounds);
    taken({ transport, cut: () => socket.destroy() });
  });
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "bridge-"));
    const path = join(directory, "far.sock");
    url = `ws+unix://${path}:/`;
    await new Promise<void>((listening) => server.listen(path, listening));
  });
  afterAll(async () => {
    await new Promise((closed) => server.close(closed));
    await rm(directory, { recursive: true });
  });

  async function connect() {
    const accepted = new Promise<{ transport: Transport; cut(): void }>((resolve) => {
      taken = resolve;
    });
    const near = await dialCommand([process.execPath, BRIDGE, "--url", url], bounds)({ url: "", signal });
    const { transport: far, cut } = await accepted;
    return { near, far, cut };
  }

  test("a daemon that reads late gets all that was sent before the close: the program may live on until it has", async () => {
    const { near, far } = await connect();
    const messages = Array.from({ length: 60 }, (_, index) => `${index} ${"x".repeat(50_000)}`);
    for (const text of messages) near.send(text);
    near.close(4321, "that was all");
    await new Promise((ended) => {
      near.onClose = ended;
    });
    const taken: string[] = [];
    far.onMessage = (text) => taken.push(text);
    const end = await new Promise((ended) => {
      far.onClose = ended;
    });
    expect(taken.length).toBe(messages.length);
    expect(taken).toEqual(messages);
    expect(end).toMatchObject({ clean: true, code: 4321, reason: "that was all" });
  });

  describe("sent to the program", () => runTransportContract(test, { ...bounds, connect }));

  describe("sent by the program", () => {
    runTransportContract(test, {
      ...bounds,
      async connect() {
        const { near, far, cut } = await connect();
        return { near: far, far: near, cut };
      },
    });
  });
});

test("a program that is not there is CONNECTION_FAILED, and names it", async () => {
  const dial = dialCommand(["no-such-program"])({ url: "", signal });
  await expect(dial).rejects.toMatchObject({
    code: "CONNECTION_FAILED",
    message: expect.stringContaining("no-such-program"),
  });
});

test("a program that ends before it has a daemon is CONNECTION_FAILED, and tells how it ended", async () => {
  const dial = dialCommand([process.execPath, "-e", "process.exit(255)"])({ url: "", signal });
  await expect(dial).rejects.toMatchObject({ code: "CONNECTION_FAILED", message: expect.stringContaining("255") });
});

test("a program that does not end by itself is ended, once its link has", async () => {
  const directory = await mkdtemp(join(tmpdir(), "deaf-"));
  const path = join(directory, "alive.sock");
  const server = createTcpServer();
  server.listen(path);
  const [seen] = await Promise.all([
    once(server, "connection"),
    dialCommand([process.execPath, "-e", DEAF_PROGRAM, path])({ url: "", signal }).then((link) => link.terminate()),
  ]);
  const alive: Socket = seen[0];
  alive.resume();
  const hadError = false;
  await expect(once(alive, "close")).resolves.toEqual([hadError]);
  await new Promise((closed) => server.close(closed));
  await rm(directory, { recursive: true });
});

test("a dial that is given up ends the program and rejects with the signal's reason", async () => {
  const controller = new AbortController();
  const dial = dialCommand([process.execPath, "-e", "setInterval(() => {}, 1000)"])({
    url: "",
    signal: controller.signal,
  });
  controller.abort(new RangeError("enough"));
  await expect(dial).rejects.toThrow("enough");
});
