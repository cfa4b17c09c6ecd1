import type { Socket } from "node:net";
import type { WebSocket } from "ws";

const BATCH = 64;
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Sends frames over a raw WebSocket as fast as it goes: corked by 64, and never more than 1 MiB ahead of the socket.
 * This is the limit, so it reaches into `ws` for the socket, as no product should.
 */
export async function sendCorked(webSocket: WebSocket, count: number, frame: (index: number) => string): Promise<void> {
  const socket = (webSocket as unknown as { _socket: Socket })._socket;
  for (let sent = 0; sent < count; ) {
    socket.cork();
    for (const end = Math.min(sent + BATCH, count); sent < end; sent += 1) webSocket.send(frame(sent));
    socket.uncork();
    if (socket.writableLength > MAX_WAITING_BYTES) await new Promise<void>((drained) => socket.once("drain", drained));
  }
}
