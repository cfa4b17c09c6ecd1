import { spawn } from "node:child_process";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { sayReady } from "./role.js";

const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * The whole path made by hand, with nothing that makes it safe: lines of an agent's pipe are parsed, stamped with a
 * position, made into text again and sent on. No journal, no sessions, no bounds. A message that is a number asks the agent
 * for that many lines.
 */
export function playPipeHub(): void {
  const agent = spawn(process.execPath, [process.argv[1] ?? "", "--role", "blaster"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  server.on("connection", (webSocket) => {
    webSocket.on("message", (count) => agent.stdin.write(`${String(count)}\n`));
    agent.stdout.removeAllListeners("data");
    agent.stdout.on("data", forwardTo(webSocket, agent.stdout));
  });
  server.on("listening", () => sayReady({ port: (server.address() as AddressInfo).port }));
}

function forwardTo(webSocket: WebSocket, source: NodeJS.ReadableStream): (chunk: Buffer) => void {
  const socket = (webSocket as unknown as { _socket: Socket })._socket;
  let rest = "";
  let seq = 0;
  return (chunk) => {
    // The frames are ASCII, so no character is cut in two.
    const lines = (rest + chunk.toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    socket.cork();
    for (const line of lines) {
      const frame = JSON.parse(line) as Record<string, unknown>;
      seq += 1;
      frame._meta = { epoch: 1_760_000_000, seq };
      webSocket.send(JSON.stringify(frame));
    }
    socket.uncork();
    if (socket.writableLength < MAX_WAITING_BYTES) return;
    source.pause();
    socket.once("drain", () => source.resume());
  };
}
