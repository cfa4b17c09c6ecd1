import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { acceptBytes, type ByteLink, dialBytes } from "../src/index.js";

test("bytes arrive in order on both sides, text as its UTF-8, and a polite end is told as one", async () => {
  const heard: Buffer[] = [];
  const server = createServer();
  const served = new Promise<ByteLink>((resolve) => {
    server.on("upgrade", (request, socket, head) => {
      void acceptBytes(request, socket, head).then((link) => {
        link.start({
          onBytes: (chunk) => {
            heard.push(Buffer.from(chunk));
            link.send(Buffer.from(chunk));
          },
          onEnded: () => {},
        });
        resolve(link);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const link = await dialBytes(`ws://127.0.0.1:${port}`);
  let echoed = "";
  const whole = new Promise<void>((resolve) => {
    link.start({
      onBytes: (chunk) => {
        echoed += Buffer.from(chunk).toString("latin1");
        if (echoed.length === 6) resolve();
      },
      onEnded: () => {},
    });
  });
  link.send(new Uint8Array([0, 1, 2]));
  link.send(new Uint8Array([3, 255, 10]));
  await whole;
  expect(echoed).toBe("\u0000\u0001\u0002\u0003\u00ff\n");
  expect(Buffer.concat(heard)).toEqual(Buffer.from([0, 1, 2, 3, 255, 10]));
  link.end();
  (await served).destroy();
  await new Promise((resolve) => server.close(resolve));
});
