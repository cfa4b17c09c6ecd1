import { agent, client } from "@agentclientprotocol/sdk";
import { WebSocket, WebSocketServer } from "ws";
import { BATCH, CALL_TEXT, EVENT, nextTurn } from "./payload.mjs";

const { sessionId } = EVENT;

/** ACP over a WebSocket, one JSON-RPC message a frame. A `session/cancel` names the number of events that are wanted. */
export async function serve() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  server.on("connection", (socket) => {
    const connection = agent()
      .onRequest("session/prompt", () => ({ stopReason: "end_turn" }))
      .onNotification("session/cancel", ({ params }) => flood(connection.client, Number(params.sessionId)))
      .connect(streamOver(socket));
  });
  await new Promise((resolve) => server.once("listening", resolve));
  return `ws://127.0.0.1:${server.address().port}`;
}

async function flood(peer, count) {
  const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text: EVENT.textDelta } };
  for (let sent = 0; sent < count; ) {
    const batch = Array.from({ length: Math.min(BATCH, count - sent) }, () =>
      peer.notify("session/update", { sessionId, update }),
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
  const connection = client()
    .onNotification("session/update", () => onUpdate())
    .connect(streamOver(socket));
  const prompt = [{ type: "text", text: CALL_TEXT }];
  return {
    call: () => connection.agent.request("session/prompt", { sessionId, prompt }),
    flood(count, onEvent) {
      onUpdate = onEvent;
      void connection.agent.notify("session/cancel", { sessionId: String(count) });
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
