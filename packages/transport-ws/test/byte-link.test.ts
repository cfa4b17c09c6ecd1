import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import * as page from "../src/browser-dial.js";
import type { ByteLink } from "../src/byte-link.js";
import * as node from "../src/dial.js";
import { becomePage } from "./page-socket.js";

let server: WebSocketServer;
let url: string;
beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/relay`;
});
afterEach(async () => {
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
});

async function open(dial: () => Promise<ByteLink>) {
  const accepted = once(server, "connection");
  const chunks: number[][] = [];
  let onChunk: () => void = () => {};
  const link = await dial();
  const ended = new Promise<Error | undefined>((resolve) => {
    link.start({
      onBytes(chunk) {
        chunks.push([...chunk]);
        onChunk();
      },
      onEnded: resolve,
    });
  });
  const [far] = (await accepted) as [WebSocket];
  const received = async (count: number) => {
    while (chunks.length < count) {
      await new Promise<void>((resolve) => {
        onChunk = resolve;
      });
    }
    return chunks;
  };
  return { link, far, ended, received };
}

describe.each([
  ["Node", node.dialBytes],
  ["a page", page.dialBytes],
] as const)("a byte link of %s", (where, dialBytes) => {
  let disguise: Disposable | undefined;
  beforeEach(() => {
    if (where === "a page") disguise = becomePage();
  });
  afterEach(() => disguise?.[Symbol.dispose]());

  test("carries bytes both ways, in order, and reads text as its UTF-8", async () => {
    const { link, far, received } = await open(() => dialBytes(url));
    const arrived = once(far, "message");
    const flushed = new Promise<void>((resolve) => link.send(Uint8Array.of(0, 1, 255), resolve));
    const [data, isBinary] = (await arrived) as [Buffer, boolean];
    expect([[...data], isBinary]).toEqual([[0, 1, 255], true]);
    await flushed;
    expect(link.bufferedBytes).toBe(0);
    far.send(Uint8Array.of(7));
    far.send("é");
    expect(await received(2)).toEqual([[7], [0xc3, 0xa9]]);
  });

  test("says whether the peer ended it politely or cut it", async () => {
    const polite = await open(() => dialBytes(url));
    polite.far.close(1000);
    expect(await polite.ended).toBeUndefined();
    const cut = await open(() => dialBytes(url));
    cut.far.terminate();
    expect(await cut.ended).toMatchObject({ code: "CONNECTION_LOST" });
  });

  test("flushes what was sent before it ends, and is cut when destroyed", async () => {
    const polite = await open(() => dialBytes(url));
    const arrived = once(polite.far, "message");
    polite.link.send(Uint8Array.of(9));
    polite.link.end();
    expect([...((await arrived)[0] as Buffer)]).toEqual([9]);
    expect(await polite.ended).toBeUndefined();
    const other = await open(() => dialBytes(url));
    const gone = once(other.far, "close");
    other.link.destroy();
    await gone;
    expect(await other.ended).toBeInstanceOf(Error);
  });

  test("a dial that is refused rejects", async () => {
    await expect(dialBytes("ws://127.0.0.1:1/relay")).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
  });
});
