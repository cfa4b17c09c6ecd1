import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { sendCorked } from "../../../bench/roles/corked-sender.js";
import { type Incoming, notificationFrame, resultFrame } from "../../../bench/roles/frames.js";
import { endWithScenario, type Message, say } from "./role.js";

const EPOCH = 1_760_000_000;
const DELTAS = 10;

interface Feed {
  readonly socket: WebSocket;
  /** What stands before and after the position in the next frame of each session. */
  readonly sessions: { readonly sessionId: string; seq: number }[];
}

/**
 * A daemon that costs nothing, so that only the client is measured. A prompt gets ten deltas and its end; `{ feed: n }` from the
 * scenario sends n deltas to the newest connection's sessions in turn, each with its position and the same number in its text, about 300 bytes long.
 */
export function playScriptedDaemon(): void {
  endWithScenario();
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  let newest: Feed | undefined;
  server.on("connection", (socket) => {
    const feed: Feed = { socket, sessions: [] };
    newest = feed;
    socket.on("message", (data) => answer(feed, JSON.parse(String(data)) as Incoming));
  });
  server.on("listening", () => say({ port: (server.address() as AddressInfo).port }));
  process.on("message", ({ feed: count }: Message) => {
    if (newest !== undefined) void sendDeltas(newest, Number(count));
  });
}

async function sendDeltas({ socket, sessions }: Feed, count: number): Promise<void> {
  const started = performance.now();
  await sendCorked(socket, count, (index) => {
    const session = sessions[index % sessions.length] ?? { sessionId: "", seq: 0 };
    session.seq += 1;
    return deltaText(session.sessionId, session.seq);
  });
  say({ fedMs: performance.now() - started });
}

function deltaText(sessionId: string, seq: number): string {
  return (
    `{"jsonrpc":"2.0","factoryApiVersion":"1.0.0","type":"notification","_meta":{"epoch":${EPOCH},"seq":${seq}},` +
    `"method":"daemon.session_notification","params":{"sessionId":"${sessionId}","notification":` +
    `{"type":"assistant_text_delta","messageId":"m-1","blockIndex":0,"textDelta":" token ${String(seq).padStart(8, "0")} "}}}`
  );
}

function answer(feed: Feed, { id, method, params = {} }: Incoming): void {
  const { socket, sessions } = feed;
  const sessionId = String(params.sessionId ?? `session-${sessions.length}`);
  if (method === "daemon.authenticate") {
    const capabilities = { turns: true, inbox: true, detach: true, directInterrupt: true };
    socket.send(resultFrame(id, { userId: "u", orgId: "o", capabilities }));
  } else if (method === "daemon.initialize_session") {
    sessions.push({ sessionId, seq: 0 });
    const settings = { modelId: "m", reasoningEffort: "none" };
    socket.send(resultFrame(id, { sessionId, session: { messages: [] }, settings }));
  } else if (id !== undefined) {
    socket.send(resultFrame(id, {}));
  }
  if (method === "daemon.add_user_message") sendTurn(feed, sessionId, String(params.messageId), id);
}

function sendTurn({ socket }: Feed, sessionId: string, turnId: string, requestId = ""): void {
  const tell = (notification: object) => socket.send(notificationFrame("daemon", sessionId, notification));
  const content = [{ type: "text", text: "go" }];
  const message = { id: turnId, role: "user", content, createdAt: 1, updatedAt: 1 };
  tell({ type: "droid_working_state_changed", newState: "streaming_assistant_message" });
  tell({ type: "create_message", requestId, message });
  for (let seq = 1; seq <= DELTAS; seq += 1) socket.send(deltaText(sessionId, seq));
  tell({ type: "agent_turn_completed", reason: "completed", turnId });
  tell({ type: "droid_working_state_changed", newState: "idle" });
}
