import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ConnectionError, DaemonError } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { dialWebSocket } from "../src/index.js";
import { Listener } from "./connection-pair.js";
import { RawServer, switching } from "./raw-server.js";

/** What a promise rejects with. */
async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable("it did not reject"),
    (error: Error) => error,
  );
}

test("a port where nobody listens is CONNECTION_FAILED, and the text keeps the URL's secrets", async () => {
  const server = await RawServer.open();
  const { authority } = server;
  await server[Symbol.asyncDispose]();
  const error = await rejection(dialWebSocket(`ws://me:hush@${authority}/path?token=hush#hush`));
  expect(error).toBeInstanceOf(ConnectionError);
  expect(error).toMatchObject({ code: "CONNECTION_FAILED", retryable: true });
  expect(error.message).toContain(`ws://${authority}/path: connect ECONNREFUSED`);
  expect(JSON.stringify([error.message, String(error.cause)])).not.toMatch(/hush|me:/);
});

test("a URL that cannot be dialed is refused without being repeated", async () => {
  for (const url of ["hush", "http://127.0.0.1/?hush", "ws://:hush@"]) {
    const error = await rejection(dialWebSocket(url));
    expect(error).toMatchObject({ code: "INVALID_OPTION", option: "url" });
    expect(error.message).toContain("ws: or wss: or ws+unix:");
    expect(error.message).not.toContain("hush");
  }
});

test("a server that never answers is CONNECT_TIMEOUT, and no socket stays open", async () => {
  await using server = await RawServer.open();
  const error = await rejection(dialWebSocket(`ws://${server.authority}/`, { timeoutMs: 50 }));
  expect(error).toMatchObject({ code: "CONNECT_TIMEOUT" });
  expect(error.message).toContain("50 ms");
  await server.emptied();
});

test("an aborted dial rejects with the signal's reason and leaves nothing open", async () => {
  const controller = new AbortController();
  const reason = new RangeError("changed my mind");
  await using server = await RawServer.open(() => controller.abort(reason));
  const dial = dialWebSocket(`ws://${server.authority}/`, { signal: controller.signal });
  expect(await rejection(dial)).toBe(reason);
  await server.emptied();
});

test("a signal that is aborted already keeps the dial from connecting at all", async () => {
  await using server = await RawServer.open();
  const error = await rejection(dialWebSocket(`ws://${server.authority}/`, { signal: AbortSignal.abort("enough") }));
  expect(error).toMatchObject({ code: "ABORTED", message: "enough" });
  expect(server.connections).toBe(0);
});

test("an abort after the socket is open does not touch it", async () => {
  await using listener = await Listener.open("tcp");
  const controller = new AbortController();
  const { near, far } = await listener.connect({ signal: controller.signal });
  controller.abort();
  const heard = new Promise((resolve) => {
    near.onMessage = resolve;
  });
  far.send("still here");
  expect(await heard).toBe("still here");
});

test("HTTP 401 and 403 are AUTH_REJECTED, any other status is CONNECTION_FAILED; each is named", async () => {
  for (const [status, code] of [
    [401, "AUTH_REJECTED"],
    [403, "AUTH_REJECTED"],
    [404, "CONNECTION_FAILED"],
    [503, "CONNECTION_FAILED"],
  ] as const) {
    const server = createServer((_request, response) => response.writeHead(status).end());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const error = await rejection(dialWebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/?hush`));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(`HTTP ${status}`);
    expect(error.message).not.toContain("hush");
    await new Promise((resolve) => server.close(resolve));
  }
});

test.each(["host", "origin"])(
  "a refused %s is not reported as a wrong credential, and is not retryable",
  async (refused) => {
    const server = createServer((_request, response) =>
      response.writeHead(403, { "x-daemon-sdk-refused": refused }).end(),
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    const error = await rejection(dialWebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`));
    expect(error).toMatchObject({ code: "NOT_ALLOWED", retryable: false });
    expect(error.message).toContain(`allowed${refused === "host" ? "Hosts" : "Origins"}`);
    await new Promise((resolve) => server.close(resolve));
  },
);

test("headers go out with the upgrade, and onUpgrade sees those of the answer", async () => {
  let request = "";
  await using server = await RawServer.open((socket) => {
    socket.once("data", (data) => {
      request = data.toString();
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
  });
  await rejection(dialWebSocket(`ws://${server.authority}/`, { headers: { "X-Nonce": "abc" } }));
  expect(request).toMatch(/x-nonce: abc/i);
  expect(request).not.toMatch(/sec-websocket-extensions/i);

  await using listener = await Listener.open("tcp", { headers: { "X-Proof": "p-1" } });
  const seen: (string | undefined)[] = [];
  await listener.connect({ onUpgrade: (headers) => seen.push(headers.get("x-proof")) });
  expect(seen).toEqual(["p-1"]);
});

test("what onUpgrade throws is what the dial rejects with; nothing is sent, nothing is read", async () => {
  const received: Buffer[] = [];
  const early = Buffer.from([0x81, 0x05, ...Buffer.from("early")]);
  await using server = await RawServer.upgrading(
    (accept) => Buffer.concat([Buffer.from(switching(accept)), early]),
    (data) => received.push(data),
  );
  const refusal = new DaemonError("PEER_NOT_PROVEN", "no proof");
  const dial = dialWebSocket(`ws://${server.authority}/`, {
    onUpgrade() {
      throw refusal;
    },
  });
  expect(await rejection(dial)).toBe(refusal);
  await server.emptied();
  expect(received).toEqual([]);
});

test("a message that comes in one packet with the 101 is not lost", async () => {
  const early = Buffer.from([0x81, 0x05, ...Buffer.from("early")]);
  await using server = await RawServer.upgrading((accept) =>
    Buffer.concat([Buffer.from(switching(accept)), early, early]),
  );
  const transport = await dialWebSocket(`ws://${server.authority}/`);
  const heard: string[] = [];
  await new Promise<void>((resolve) => {
    transport.onMessage = (text) => {
      heard.push(text);
      if (heard.length === 2) resolve();
    };
  });
  expect(heard).toEqual(["early", "early"]);
  transport.terminate();
});

test("an answer that is no WebSocket is CONNECTION_FAILED", async () => {
  await using server = await RawServer.upgrading(() => switching("bm90IHRoZSBrZXk="));
  const error = await rejection(dialWebSocket(`ws://${server.authority}/`));
  expect(error).toMatchObject({ code: "CONNECTION_FAILED" });
  await server.emptied();
});

test("a header that HTTP does not allow rejects at once", async () => {
  await using server = await RawServer.open();
  const dial = dialWebSocket(`ws://${server.authority}/`, { headers: { "x-bad": "a\r\nb" } });
  expect(await rejection(dial)).toMatchObject({ code: "INVALID_OPTION", option: "headers.x-bad" });
});
