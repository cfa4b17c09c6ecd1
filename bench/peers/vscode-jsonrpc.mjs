import { mkdtempSync } from "node:fs";
import { createServer, connect as dial } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import rpc from "vscode-jsonrpc/node";
import { BATCH, CALL_TEXT, EVENT } from "./payload.mjs";

const { StreamMessageReader, StreamMessageWriter, createMessageConnection } = rpc;

/** At its best: over a unix socket. */
export async function serve() {
  const path = join(mkdtempSync(join(tmpdir(), "bench-rpc-")), "s");
  const server = createServer((socket) => {
    const connection = connectionOver(socket);
    connection.onRequest("call", (text) => text);
    connection.onNotification("flood", async (count) => {
      for (let sent = 0; sent < count; ) {
        const batch = Array.from({ length: Math.min(BATCH, count - sent) }, () =>
          connection.sendNotification("event", EVENT),
        );
        sent += batch.length;
        await Promise.all(batch);
      }
    });
    connection.listen();
  });
  await new Promise((resolve) => server.listen(path, resolve));
  return path;
}

export async function connect(path) {
  const socket = dial(path);
  await new Promise((resolve) => socket.once("connect", resolve));
  const connection = connectionOver(socket);
  connection.listen();
  let listener;
  return {
    call: () => connection.sendRequest("call", CALL_TEXT),
    flood(count, onEvent) {
      listener?.dispose();
      listener = connection.onNotification("event", onEvent);
      void connection.sendNotification("flood", count);
    },
    close: async () => void socket.destroy(),
  };
}

function connectionOver(socket) {
  return createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
}
