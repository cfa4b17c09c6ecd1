import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { sayReady } from "./role.js";

/** Sends every message back: the least that a round trip over a WebSocket can cost. */
export function playEcho(): void {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  server.on("connection", (socket) =>
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  server.on("listening", () => sayReady({ port: (server.address() as AddressInfo).port }));
}
