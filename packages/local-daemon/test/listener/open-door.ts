import { randomUUID } from "node:crypto";
import net from "node:net";
import { join } from "node:path";
import { silentLogger } from "@daemon-sdk/protocol";
import type { Accepted } from "../../src/listener/http-front.js";
import { type Listener, type ListenerOptions, openListener } from "../../src/listener/listener.js";
import { createToken } from "../../src/rendezvous/token.js";
import { type TempHome, tempHome } from "../rendezvous/temp-home.js";

/** A listener on a unix socket and a free port, and what it accepted so far. */
export interface OpenDoor extends AsyncDisposable {
  readonly listener: Listener;
  readonly port: number;
  readonly socketPath: string;
  readonly token: string;
  readonly instanceId: string;
  readonly accepted: Accepted[];
  readonly home: TempHome;
}

export async function openDoor(options: Partial<ListenerOptions> = {}): Promise<OpenDoor> {
  const home = tempHome();
  const accepted: Accepted[] = [];
  const token = createToken();
  const instanceId = randomUUID();
  const listener = await openListener({
    socketPath: join(home.path, "daemon.sock"),
    port: 0,
    token,
    instanceId,
    version: "1.2.3",
    health: () => ({ status: "ok" }),
    onAccept: (link) => accepted.push(link),
    logger: silentLogger,
    ...options,
  });
  const { port = 0, socketPath = "" } = listener;
  return {
    ...{ listener, port, socketPath, token, instanceId, accepted, home },
    async [Symbol.asyncDispose]() {
      await listener.close();
      for (const { transport } of accepted) transport.terminate();
      home[Symbol.dispose]();
    },
  };
}

/** Writes `text` on a raw connection and collects everything until the other side ends it. */
export function exchange(address: net.NetConnectOpts, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(address);
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      answer += chunk;
      // An accepted upgrade stays open; its head is all there is to see.
      if (answer.startsWith("HTTP/1.1 101") && answer.includes("\r\n\r\n")) socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? undefined : reject(error)));
    socket.on("close", () => resolve(answer));
    socket.write(text);
  });
}
