import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { sendCorked } from "./corked-sender.js";
import { deltaFrame, type Incoming, resultFrame } from "./frames.js";
import { sayReady } from "./role.js";

/**
 * A daemon that does nothing but feed: sessions cost it a name, and `{ feed: n }` from the bench sends n deltas to the
 * newest connection, to its sessions in turn, so that only the reader is measured.
 */
export function playFeed(): void {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  let newest: { socket: WebSocket; frames: string[] } | undefined;
  server.on("connection", (socket) => {
    const frames: string[] = [];
    newest = { socket, frames };
    socket.on("message", (data) => answer(socket, frames, JSON.parse(String(data)) as Incoming));
  });
  server.on("listening", () => sayReady({ port: (server.address() as AddressInfo).port }));
  process.on("message", ({ feed }: { feed: number }) => {
    const { socket, frames } = newest ?? {};
    if (socket && frames) void sendCorked(socket, feed, (index) => frames[index % frames.length] ?? "");
  });
}

function answer(socket: WebSocket, frames: string[], { id, method, params }: Incoming): void {
  if (method === "daemon.authenticate") {
    socket.send(resultFrame(id, { userId: "u", orgId: "o", capabilities: { turns: true, inbox: true, detach: true } }));
  } else if (method === "daemon.initialize_session") {
    const sessionId = typeof params?.sessionId === "string" ? params.sessionId : `session-${frames.length}`;
    frames.push(deltaFrame("daemon", sessionId, `"_meta":{"epoch":1760000000,"seq":1},`));
    const settings = { modelId: "m", reasoningEffort: "none" };
    socket.send(resultFrame(id, { sessionId, session: { messages: [] }, settings }));
  } else {
    socket.send(resultFrame(id, {}));
  }
}
