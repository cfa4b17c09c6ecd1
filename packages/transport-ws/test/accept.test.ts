import { once } from "node:events";
import { createServer, IncomingMessage } from "node:http";
import { type AddressInfo, connect, Socket } from "node:net";
import { Duplex } from "node:stream";
import { LIMITS } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { acceptWebSocket } from "../src/index.js";
import { Listener } from "./connection-pair.js";

/** A plain `ws` client, which can do what our transport never would. */
async function rawClient(listener: Listener): Promise<WebSocket> {
  const client = new WebSocket(listener.url);
  client.on("error", () => {});
  await once(client, "open");
  return client;
}

test("binary messages are read as text", async () => {
  await using listener = await Listener.open("tcp");
  const client = await rawClient(listener);
  const transport = await listener.accept();
  const heard = new Promise((resolve) => {
    transport.onMessage = resolve;
  });
  client.send(Buffer.from('{"é":1}'));
  expect(await heard).toBe('{"é":1}');
});

test("deflate is not spoken, even to those who offer it", async () => {
  await using listener = await Listener.open("tcp");
  const client = await rawClient(listener);
  expect(client.extensions).toBe("");
});

test("a message in more fragments than allowed ends the link as a violation", async () => {
  await using listener = await Listener.open("tcp");
  const client = await rawClient(listener);
  const transport = await listener.accept();
  const end = new Promise((resolve) => {
    transport.onClose = resolve;
  });
  transport.onMessage = () => expect.unreachable();
  for (let count = 0; count <= LIMITS.webSocketFragments; count++) client.send("", { fin: false });
  expect(await end).toMatchObject({ clean: false, error: { code: "PROTOCOL_VIOLATION" } });
});

test("bytes that are no WebSocket frame end the link as a violation", async () => {
  await using listener = await Listener.open("tcp");
  const client = await rawClient(listener);
  const transport = await listener.accept();
  const end = new Promise((resolve) => {
    transport.onClose = resolve;
  });
  (client as unknown as { _socket: Socket })._socket.write("not a frame");
  expect(await end).toMatchObject({ clean: false, code: 1002, error: { code: "PROTOCOL_VIOLATION" } });
});

test("a request that is no upgrade is answered and refused", async () => {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const refused = new Promise((resolve) => {
    server.on("upgrade", (request, socket, head) => acceptWebSocket(request, socket, head).catch(resolve));
  });
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
  expect(await refused).toMatchObject({ code: "PROTOCOL_VIOLATION" });
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** An upgrade request without a network. */
function upgradeRequest(): IncomingMessage {
  const headers = {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  return Object.assign(new IncomingMessage(new Socket()), { method: "GET", url: "/", headers });
}

/** A socket that keeps what each system call would have carried. */
class Recorder extends Duplex {
  readonly writes: Buffer[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(Buffer.from(chunk));
    setImmediate(done);
  }
  override _writev(chunks: { chunk: Buffer | string }[], done: () => void): void {
    this.writes.push(Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk))));
    setImmediate(done);
  }
}

async function accepted(): Promise<{ socket: Recorder; transport: Awaited<ReturnType<typeof acceptWebSocket>> }> {
  const socket = new Recorder();
  const transport = await acceptWebSocket(upgradeRequest(), socket, Buffer.alloc(0));
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  socket.writes.length = 0;
  return { socket, transport };
}

test("all messages of one tick go out in one write, and a lone one does not wait", async () => {
  const { socket, transport } = await accepted();
  for (let count = 0; count < 100; count++) transport.send("message");
  expect(socket.writes).toHaveLength(0);
  await new Promise(setImmediate);
  expect(socket.writes).toHaveLength(1);
  expect(socket.writes[0]).toHaveLength(100 * (2 + "message".length));
  transport.send("alone");
  await new Promise(setImmediate);
  expect(socket.writes).toHaveLength(2);
});

test("messages of promise chains that run in one go share a write", async () => {
  const { socket, transport } = await accepted();
  await Promise.all(
    [1, 2, 3].map(async () => {
      await Promise.resolve();
      transport.send("message");
    }),
  );
  await new Promise(setImmediate);
  expect(socket.writes).toHaveLength(1);
});

test("a tick that sends much is flushed in between", async () => {
  const { socket, transport } = await accepted();
  const text = "x".repeat(LIMITS.coalesceBytes);
  transport.send(text);
  expect(socket.writes).toHaveLength(1);
  transport.terminate();
});

test("close lets out at once what the tick held back", async () => {
  const { socket, transport } = await accepted();
  transport.send("last words");
  transport.close(1000, "bye");
  expect(socket.writes.map(String).join("")).toMatch(/last words.*bye/s);
  expect(socket.writableCorked).toBe(0);
  transport.terminate();
});

test("an extra header that could forge others is refused", async () => {
  const accept = acceptWebSocket(upgradeRequest(), new Recorder(), Buffer.alloc(0), {
    headers: { "x-a": "1\r\nx-b: 2" },
  });
  await expect(accept).rejects.toMatchObject({ code: "INVALID_OPTION", option: "headers.x-a" });
});
