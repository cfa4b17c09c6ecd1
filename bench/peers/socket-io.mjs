import { createServer } from "node:http";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { BATCH, CALL_TEXT, EVENT, nextTurn } from "./payload.mjs";

/** At its best: WebSocket only, without compression, without the parser of binary. */
export async function serve() {
  const http = createServer();
  const server = new Server(http, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
  server.on("connection", (socket) => {
    socket.on("call", (text, answer) => answer(text));
    socket.on("flood", async (count) => {
      for (let sent = 0; sent < count; ) {
        for (const end = Math.min(sent + BATCH, count); sent < end; sent += 1) socket.emit("event", EVENT);
        await nextTurn();
      }
    });
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${http.address().port}`;
}

export async function connect(address) {
  const socket = io(address, { transports: ["websocket"], perMessageDeflate: false, forceNew: true });
  await new Promise((resolve) => socket.once("connect", resolve));
  return {
    call: () => new Promise((resolve) => socket.emit("call", CALL_TEXT, resolve)),
    flood(count, onEvent) {
      socket.removeAllListeners("event");
      socket.on("event", onEvent);
      socket.emit("flood", count);
    },
    close: async () => void socket.close(),
  };
}
