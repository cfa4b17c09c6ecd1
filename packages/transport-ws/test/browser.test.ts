import { LIMITS } from "@daemon-sdk/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dialWebSocket } from "../src/browser.js";
import { Listener } from "./connection-pair.js";
import { becomePage } from "./page-socket.js";
import { RawServer, switching } from "./raw-server.js";

let page: Disposable;
beforeAll(() => {
  page = becomePage();
});
afterAll(() => page[Symbol.dispose]());

test("options that a page cannot honour are refused, not ignored", async () => {
  await expect(dialWebSocket("ws://x/", { headers: {} })).rejects.toMatchObject({ option: "headers" });
  await expect(dialWebSocket("ws://x/", { onUpgrade() {} })).rejects.toMatchObject({ option: "onUpgrade" });
  await expect(dialWebSocket("ws+unix:///x:/")).rejects.toMatchObject({ code: "INVALID_OPTION", option: "url" });
});

test("a refused dial is CONNECTION_FAILED without the URL's secrets", async () => {
  const dial = dialWebSocket("ws://me:hush@127.0.0.1:1/?token=hush");
  const error = await dial.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "CONNECTION_FAILED" });
  expect(String(error)).toContain("ws://127.0.0.1:1/");
  expect(String(error)).not.toContain("hush");
});

test("a URL that the browser itself refuses is CONNECTION_FAILED as well", async () => {
  const plain = globalThis.WebSocket;
  Reflect.set(globalThis, "WebSocket", function refuse() {
    throw new DOMException("ws://me:hush@x/ is insecure", "SecurityError");
  });
  const error = await dialWebSocket("ws://me:hush@x/").catch((reason: unknown) => reason);
  Reflect.set(globalThis, "WebSocket", plain);
  expect(error).toMatchObject({ code: "CONNECTION_FAILED" });
  expect(String(error)).not.toContain("hush");
});

test("time-out and abort leave no socket open", async () => {
  await using server = await RawServer.open();
  const url = `ws://${server.authority}/`;
  await expect(dialWebSocket(url, { timeoutMs: 30 })).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
  const controller = new AbortController();
  const dial = dialWebSocket(url, { signal: controller.signal });
  controller.abort(new RangeError("enough"));
  await expect(dial).rejects.toThrow("enough");
  await server.emptied();
});

test("a daemon that never answers a close is given up when its time is up", async () => {
  await using server = await RawServer.upgrading((accept) => switching(accept));
  const transport = await dialWebSocket(`ws://${server.authority}/`);
  const start = performance.now();
  const end = new Promise((resolve) => {
    transport.onClose = resolve;
  });
  transport.close();
  expect(await end).toMatchObject({ clean: false, code: 1006 });
  expect(performance.now() - start).toBeGreaterThan(LIMITS.closeTimeoutMs * 0.9);
});

test("binary messages are read as text in a page, too", async () => {
  const binary = Buffer.from([0x82, 0x02, 0xc3, 0xa9]);
  await using server = await RawServer.upgrading((accept) => Buffer.concat([Buffer.from(switching(accept)), binary]));
  const transport = await dialWebSocket(`ws://${server.authority}/`);
  const heard = await new Promise((resolve) => {
    transport.onMessage = resolve;
  });
  expect(heard).toBe("é");
  transport.terminate();
});

test("a daemon reads a page's terminate as a cut, and its going away as polite", async () => {
  await using listener = await Listener.open("tcp");
  for (const [end, event] of [
    ["terminate", { clean: false, code: 1006 }],
    ["close", { clean: true, code: 1000 }],
  ] as const) {
    const [near, far] = await Promise.all([dialWebSocket(listener.url), listener.accept()]);
    const ended = new Promise((resolve) => {
      far.onClose = resolve;
    });
    near[end](1001);
    expect(await ended).toMatchObject(event);
  }
});
