import { AgentSideConnection, ClientSideConnection } from "@agentclientprotocol/sdk";
import { WebSocket, WebSocketServer } from "ws";
import { BATCH, CALL_TEXT, EVENT, nextTurn } from "./payload.mjs";

/** ACP over a WebSocket, one JSON-RPC message a frame. */
export async function serve() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  server.on("connection", (socket) => {
    const connection = new AgentSideConnection(
      () => ({
        extMethod: async (_method, params) => params,
        extNotification: async (_method, { count }) => flood(connection, count),
      }),
      streamOver(socket),
    );
  });
  await new Promise((resolve) => server.once("listening", resolve));
  return `ws://127.0.0.1:${server.address().port}`;
}

async function flood(connection, count) {
  const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: EVENT.textDelta } };
  for (let sent = 0; sent < count; ) {
    const batch = Array.from({ length: Math.min(BATCH, count - sent) }, () =>
      connection.sessionUpdate({ sessionId: EVENT.sessionId, update }),
    );
    sent += batch.length;
    await Promise.all(batch);
    await nextTurn();
  }
}

export async function connect(url) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise((resolve) => socket.once("open", resolve));
  let onUpdate = () => {};
  const client = {
    sessionUpdate: async () => onUpdate(),
    requestPermission: async () => ({ outcome: { outcome: "cancelled" } }),
  };
  const connection = new ClientSideConnection(() => client, streamOver(socket));
  return {
    call: () => connection.extMethod("_call", { text: CALL_TEXT }),
    flood(count, onEvent) {
      onUpdate = onEvent;
      void connection.extNotification("_flood", { count });
    },
    close: async () => void socket.terminate(),
  };
}

function streamOver(socket) {
  return {
    readable: new ReadableStream({
      start(controller) {
        socket.on("message", (data) => controller.enqueue(JSON.parse(String(data))));
      },
    }),
    writable: new WritableStream({
      write(message) {
        socket.send(JSON.stringify(message));
      },
    }),
  };
}
