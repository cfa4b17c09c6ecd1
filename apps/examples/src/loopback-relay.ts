import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";

/** A minimal relay on 127.0.0.1. */
export interface LoopbackRelay {
  /** For `relayBaseUrl`. */
  readonly url: string;
  /** Messages forwarded so far, both ways. */
  forwarded(): number;
  close(): Promise<void>;
}

/** Forwards `/v0/computer/<computerId>/client` to the daemon at `target`: each message, and the end. */
export async function openRelay(computerId: string, target: string): Promise<LoopbackRelay> {
  let forwarded = 0;
  const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const server = createServer();
  server.on("upgrade", onUpgrade);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;

  function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url !== `/v0/computer/${computerId}/client`) {
      socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const daemon = new WebSocket(target, { perMessageDeflate: false });
    daemon.once("error", () => socket.destroy());
    // The client's side opens last, so that the daemon's side exists when its first message arrives.
    daemon.once("open", () => upgrades.handleUpgrade(request, socket, head, (client) => join(client, daemon)));
  }

  function join(client: WebSocket, daemon: WebSocket): void {
    for (const [from, to] of [
      [client, daemon],
      [daemon, client],
    ] as const) {
      from.on("message", (data, binary) => {
        forwarded += 1;
        to.send(data, { binary });
      });
      from.once("close", () => to.close());
      from.on("error", () => to.terminate());
    }
  }

  return {
    url: `ws://127.0.0.1:${port}`,
    forwarded: () => forwarded,
    async close() {
      for (const client of upgrades.clients) client.terminate();
      await new Promise((closed) => server.close(closed));
    },
  };
}
