import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Transport } from "@daemon-sdk/protocol";
import { runTransportContract } from "@daemon-sdk/testing";
import { acceptWebSocket } from "@daemon-sdk/transport-ws";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dialCommand } from "../../src/transports/stdio.js";

const BRIDGE = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "dist", "stdio-bridge.js");
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

test("a dial that is given up ends the program and rejects with the signal's reason", async () => {
  const controller = new AbortController();
  const dial = dialCommand([process.execPath, "-e", "setInterval(() => {}, 1000)"])({
    url: "",
    signal: controller.signal,
  });
  controller.abort(new RangeError("enough"));
  await expect(dial).rejects.toThrow("enough");
});
