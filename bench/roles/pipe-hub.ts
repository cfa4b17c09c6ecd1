import { spawn } from "node:child_process";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { sayReady } from "./role.js";

/**
 * The whole path made by hand, with nothing that makes it safe: lines of an agent's pipe are parsed, stamped with a
 * position, made into text again and sent on. No journal, no sessions, no bounds.
 */
export function playPipeHub(): void {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  server.on("connection", (webSocket) => webSocket.on("message", (data) => forward(webSocket, Number(String(data)))));
  server.on("listening", () => sayReady({ port: (server.address() as AddressInfo).port }));
}

function forward(webSocket: WebSocket, count: number): void {
  const socket = (webSocket as unknown as { _socket: Socket })._socket;
  const agent = spawn(process.execPath, [process.argv[1] ?? "", "--role", "blast", String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let rest = "";
  let seq = 0;
  agent.stdout.setEncoding("utf8");
  agent.stdout.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    socket.cork();
    for (const line of lines) {
      const frame = JSON.parse(line) as Record<string, unknown>;
      seq += 1;
      frame._meta = { epoch: 1_760_000_000, seq };
      webSocket.send(JSON.stringify(frame));
    }
    socket.uncork();
    if (socket.writableLength > 1024 * 1024) {
      agent.stdout.pause();
      socket.once("drain", () => agent.stdout.resume());
    }
  });
}
