import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { type ChaosConnection, ChaosProxy, type ChaosProxyOptions } from "../../../src/node.js";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Peer {
  readonly proxy: ChaosProxy;
  readonly client: Wire;
  readonly server: Wire;
  readonly connection: ChaosConnection;
}

/** A socket that stores received bytes. */
class Wire {
  readonly ended: Promise<"end" | "broken">;
  heard = Buffer.alloc(0);
  readonly #waiters = new Set<() => void>();

  constructor(readonly socket: Socket) {
    let isEnd = false;
    socket.on("data", (chunk) => {
      this.heard = Buffer.concat([this.heard, chunk]);
      for (const wake of this.#waiters) wake();
    });
    socket.on("end", () => {
      isEnd = true;
    });
    socket.on("error", () => {});
    this.ended = new Promise((resolve) => socket.on("close", () => resolve(isEnd ? "end" : "broken")));
  }

  async until(bytes: number): Promise<Buffer> {
    while (this.heard.length < bytes) await new Promise<void>((resolve) => this.#waiters.add(resolve));
    return this.heard;
  }
}

async function serve(
  listen: { port: number; host: string } | { path: string },
): Promise<Server & { sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = Object.assign(
    createServer((socket) => void sockets.push(socket)),
    { sockets },
  );
  server.listen(listen);
  await once(server, "listening");
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
  });
  return server;
}

const LOCAL = { port: 0, host: "127.0.0.1" };

async function proxied(options: Partial<ChaosProxyOptions> = {}): Promise<Peer> {
  const backend = await serve(LOCAL);
  const address = backend.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const proxy = await ChaosProxy.start({ target: { port }, ...options });
  cleanups.push(() => proxy.close());
  const socket = connect(proxy.address);
  cleanups.push(async () => socket.destroy());
  const [accepted] = await Promise.all([once(backend, "connection"), once(socket, "connect")]);
  const connection = proxy.connections[0];
  if (!connection) throw new TypeError("The proxy has no connection");
  return { proxy, connection, client: new Wire(socket), server: new Wire(accepted[0] as Socket) };
}

test("without faults everything passes both ways, and each polite end is told", async () => {
  const { client, server, proxy, connection } = await proxied();
  const sent = Buffer.alloc(300_000, "daemon");
  client.socket.end(sent);
  server.socket.write("hello");
  expect((await server.until(sent.length)).equals(sent)).toBe(true);
  expect(String(await client.until(5))).toBe("hello");
  server.socket.end("bye");
  expect(await Promise.all([client.ended, server.ended])).toEqual(["end", "end"]);
  expect(String(client.heard)).toBe("hellobye");
  await connection.closed;
  expect([proxy.connections.length, proxy.accepted, connection.toServer.passedBytes]).toEqual([0, 1, sent.length]);
});

test("it goes from a unix socket to a unix socket as well", async () => {
  const directory = await mkdtemp(join(tmpdir(), "chaos-"));
  cleanups.push(() => rm(directory, { recursive: true }));
  const [front, back] = [join(directory, "front"), join(directory, "back")];
  const backend = await serve({ path: back });
  await using proxy = await ChaosProxy.start({ target: { path: back }, listen: { path: front } });
  const client = new Wire(connect(proxy.address));
  client.socket.write("ping");
  const [socket] = (await once(backend, "connection")) as [Socket];
  expect(String(await new Wire(socket).until(4))).toBe("ping");
  expect(proxy.description).toContain(`${front} → ${back}, seed `);
});

test("a cut at byte N lets exactly the bytes before it through, in either direction, however they come", async () => {
  const way = fc.constantFrom<"toServer" | "toClient">("toServer", "toClient");
  const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(way, pieces, fc.nat(), async (direction, sizes, place) => {
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const offset = 1 + (place % total);
      const { client, server, proxy } = await proxied({
        onConnection: (connection) => connection[direction].cutAt(offset),
      });
      const [from, to] = direction === "toServer" ? [client, server] : [server, client];
      const data = Buffer.from(Array.from({ length: total }, (_, index) => index));
      let at = 0;
      for (const size of sizes) {
        from.socket.write(data.subarray(at, at + size));
        at += size;
      }
      await Promise.all([client.ended, server.ended]);
      expect([...to.heard]).toEqual([...data.subarray(0, offset)]);
      expect(proxy.connections).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test("a stalled connection passes nothing, not even an end, until it is resumed", async () => {
  const { client, server, connection } = await proxied();
  client.socket.write("before");
  await server.until(6);
  connection.stall();
  client.socket.end("after");
  server.socket.write("unheard");
  await once(client.socket, "finish");
  expect([String(server.heard), String(client.heard)]).toEqual(["before", ""]);
  connection.resume();
  expect(String(await server.until(11))).toBe("beforeafter");
  expect(String(await client.until(7))).toBe("unheard");
  server.socket.end();
  expect(await server.ended).toBe("end");
});

test("one direction can be stalled while the other goes on", async () => {
  const { client, server, connection } = await proxied();
  connection.toClient.stall();
  server.socket.write("held");
  for (const word of ["a", "b", "c"]) client.socket.write(word);
  expect(String(await server.until(3))).toBe("abc");
  expect(client.heard).toHaveLength(0);
  connection.toClient.resume();
  expect(String(await client.until(4))).toBe("held");
});

test("a range of bytes comes twice, right behind the first time", async () => {
  const { client, server } = await proxied({ onConnection: ({ toServer }) => toServer.duplicate(2, 5) });
  for (const piece of ["01", "23", "456", "789"]) client.socket.write(piece);
  client.socket.end();
  server.socket.end();
  await server.ended;
  expect(String(server.heard)).toBe("0123423456789");
});

test("the last frame is repeated between two frames: of a WebSocket, and of the relay", async () => {
  const head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const text = (body: string) => Buffer.concat([Buffer.from([0x81, body.length]), Buffer.from(body)]);
  const ping = Buffer.from([0x89, 0x00]);
  const large = Buffer.concat([Buffer.from([0x82, 126, 1, 0]), Buffer.alloc(256, 1)]);
  const relay = (body: string) => Buffer.concat([Buffer.from([0, 0, 0, body.length]), Buffer.from(body)]);
  const cases: [start: Buffer, frame: Buffer, next: Buffer][] = [
    [Buffer.concat([Buffer.from(head), text("one")]), text("two"), ping],
    [Buffer.from(head), large, text("next")],
    [relay("one"), relay("two"), relay("three")],
  ];
  for (const [start, frame, next] of cases) {
    const { client, server, connection } = await proxied();
    client.socket.write(Buffer.concat([start, frame, next.subarray(0, 1)]));
    await server.until(start.length + frame.length + 1);
    connection.toServer.repeatLastFrame();
    client.socket.end(next.subarray(1));
    server.socket.end();
    await server.ended;
    expect(server.heard.toString("hex")).toBe(Buffer.concat([start, frame, next, frame]).toString("hex"));
  }
});

test("a frame of one connection can be sent again on the next, as a late retransmission would be", async () => {
  const frame = Buffer.from([0, 0, 0, 1, 0x7b]);
  const { client, server, connection } = await proxied();
  client.socket.write(frame);
  await server.until(5);
  const kept = connection.toServer.lastFrame ?? Buffer.alloc(0);
  const again = await proxied();
  again.connection.toServer.inject(kept);
  again.client.socket.write(frame);
  expect([...(await again.server.until(10))]).toEqual([...frame, ...frame]);
});

test("delays keep the order, and the same seed gives the same delays", async () => {
  const draws: number[][] = [];
  for (const seed of [7, 7, 8]) {
    const { client, server, connection, proxy } = await proxied({ seed });
    connection.delay({ minMs: 0, maxMs: 5 });
    const words = Array.from({ length: 20 }, (_, index) => `${index};`);
    for (const word of words) client.socket.write(word);
    expect(String(await server.until(words.join("").length))).toBe(words.join(""));
    draws.push(Array.from({ length: 5 }, () => connection.random.integer(0, 1_000_000)));
    expect(proxy.description).toContain(`seed ${seed}`);
  }
  expect(draws[0]).toEqual(draws[1]);
  expect(draws[0]).not.toEqual(draws[2]);
});

test("a bandwidth makes the receiver wait at least as long as the bytes take", async () => {
  const { client, server, connection } = await proxied();
  connection.toServer.bandwidth(100_000);
  const startedAt = performance.now();
  client.socket.write(Buffer.alloc(20_000, 1));
  await server.until(20_000);
  // Timers may be a millisecond early.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195);
});

test("a receiver that does not read makes the sender wait: the proxy holds a bounded amount", async () => {
  const { client, server, connection } = await proxied();
  server.socket.pause();
  const piece = Buffer.alloc(1024 * 1024, 1);
  for (let megabytes = 0; megabytes < 8; megabytes++) client.socket.write(piece);
  connection.toServer.stall();
  await new Promise((resolve) => setImmediate(resolve));
  expect(connection.toServer.heldBytes).toBeLessThanOrEqual(256 * 1024);
  connection.resume();
  server.socket.resume();
  await server.until(8 * piece.length);
});

test("cutAll breaks every connection and takes new ones, refuse takes none, close leaves nothing", async () => {
  const { client, server, proxy } = await proxied();
  proxy.cutAll();
  await Promise.all([client.ended, server.ended]);
  proxy.refuse();
  const refused = new Wire(connect(proxy.address));
  await refused.ended;
  proxy.refuse(false);
  const again = new Wire(connect(proxy.address));
  await once(again.socket, "connect");
  await proxy.close();
  await again.ended;
  expect([proxy.connections.length, proxy.accepted]).toEqual([0, 3]);
});

test("a server that is not there ends the client, and the proxy goes on", async () => {
  const gone = await serve(LOCAL);
  const address = gone.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  await new Promise((resolve) => gone.close(resolve));
  await using proxy = await ChaosProxy.start({ target: { port } });
  for (let round = 0; round < 2; round++) await new Wire(connect(proxy.address)).ended;
  expect(proxy.accepted).toBe(2);
});
