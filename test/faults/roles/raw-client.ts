import { WebSocket } from "ws";
import { endWithScenario, type Message, say } from "./role.js";

/**
 * The least that a reader of many sessions has to do: parse, look up, count. What our client does on top is told by running both
 * in turns.
 */
export async function playRawClient([url = ""]: readonly string[]): Promise<void> {
  endWithScenario();
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise((opened) => socket.once("open", opened));
  const last = new Map<string, number>();
  let events = 0;
  let misplaced = 0;
  let wanted = 0;
  socket.on("message", (data) => {
    const { params } = JSON.parse(String(data)) as {
      params?: { sessionId: string; notification: { textDelta: string } };
    };
    if (params === undefined) return;
    const seq = Number(params.notification.textDelta.slice(7));
    if (seq !== (last.get(params.sessionId) ?? 0) + 1) misplaced += 1;
    last.set(params.sessionId, seq);
    events += 1;
    if (events === wanted) say({ events, misplaced });
  });
  process.on("message", ({ task, count }: Message) => {
    if (task === "open") {
      for (let index = 0; index < Number(count); index += 1) {
        const sessionId = `0d3c6a1e-8a54-4d0e-9a5b-${String(index).padStart(12, "0")}`;
        socket.send(JSON.stringify({ id: "i", method: "daemon.initialize_session", params: { sessionId } }));
      }
      say({ opened: Number(count) });
    } else {
      events = 0;
      wanted = Number(count);
      say({ isListening: true });
    }
  });
  say({ ready: true });
}
