import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { sendCorked } from "./corked-sender.js";
import { deltaFrame, type Incoming, resultFrame } from "./frames.js";
import { sayReady } from "./role.js";

/**
 * A daemon that does nothing but feed: sessions cost it a name, and `{ feed: n }` from the bench sends n deltas to the
 * newest connection, to its sessions in turn, so that only the reader is measured. With the argument `batches` it sends 64 deltas of a
 * session in a message, as our daemon does to a client that takes batches.
 */
export function playFeed(): void {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  let newest: { socket: WebSocket; sessions: Session[] } | undefined;
  server.on("connection", (socket) => {
    const sessions: Session[] = [];
    newest = { socket, sessions };
    socket.on("message", (data) => answer(socket, sessions, JSON.parse(String(data)) as Incoming));
  });
  server.on("listening", () => sayReady({ port: (server.address() as AddressInfo).port }));
  process.on("message", ({ feed }: { feed: number }) => {
    const { socket, sessions } = newest ?? {};
    if (socket && sessions) void sendDeltas(socket, feed, (index) => sessions[index % sessions.length]);
  });
}

/** A session's delta around its position, and how often it was sent: an entry that comes twice is dropped by who reads. */
interface Session {
  readonly head: string;
  readonly tail: string;
  seq: number;
}

const IN_BATCHES = process.argv.includes("batches");
const BATCH = 64;

/** Sends so many deltas, the next one of the session that `sessionOf` names; `change` makes their messages others. */
function sendDeltas(
  socket: WebSocket,
  count: number,
  sessionOf: (index: number) => Session | undefined,
  change: (frame: string) => string = (frame) => frame,
): Promise<void> {
  if (!IN_BATCHES) return sendCorked(socket, count, (index) => change(nextFrame(sessionOf(index))));
  const tails = new Map<Session, string>();
  return sendCorked(socket, Math.ceil(count / BATCH), (index) => {
    const session = sessionOf(index);
    const size = Math.min(BATCH, count - index * BATCH);
    if (session === undefined) return "";
    const tail = size < BATCH ? undefined : tails.get(session);
    const made = tail ?? change(batchTail(session, size));
    if (size === BATCH) tails.set(session, made);
    const text = `${session.head}${session.seq + 1}${made}`;
    session.seq += size;
    return text;
  });
}

/** What follows the position of a batch: the session's delta, so many times. */
function batchTail({ tail }: Session, size: number): string {
  const [head = "", delta = ""] = tail.split('"notification":');
  const notification = delta.slice(0, -"}}".length);
  const method = head.replace("session_notification", "session_notifications");
  return `${method}"notifications":[${Array(size).fill(notification).join(",")}]}}`;
}

function nextFrame(session: Session | undefined): string {
  if (session === undefined) return "";
  session.seq += 1;
  return session.head + session.seq + session.tail;
}

function answer(socket: WebSocket, sessions: Session[], { id, method, params }: Incoming): void {
  if (method === "daemon.authenticate") {
    socket.send(resultFrame(id, { userId: "u", orgId: "o", capabilities: { turns: true, inbox: true, detach: true } }));
  } else if (method === "daemon.initialize_session") {
    const sessionId = typeof params?.sessionId === "string" ? params.sessionId : `session-${sessions.length}`;
    const meta = `"_meta":{"epoch":1760000000,"seq":`;
    const [head = "", tail = ""] = deltaFrame("daemon", sessionId, `${meta}|},`).split("|");
    sessions.push({ head, tail, seq: 0 });
    const settings = { modelId: "m", reasoningEffort: "none" };
    socket.send(resultFrame(id, { sessionId, session: { messages: [] }, settings }));
  } else {
    socket.send(resultFrame(id, {}));
    if (method === "daemon.add_user_message") void playTurn(socket, sessions.at(-1), id, params);
  }
}

/** A turn of as many deltas as its prompt says. */
async function playTurn(
  socket: WebSocket,
  session: Session | undefined,
  requestId: unknown,
  params: Incoming["params"],
) {
  if (session === undefined) return;
  const { messageId: turnId, text } = params ?? {};
  const send = (notification: object) => socket.send(noteFrame(session, notification));
  send({ type: "droid_working_state_changed", newState: "streaming_assistant_message" });
  const message = { id: turnId, role: "user", content: [{ type: "text", text }], createdAt: 1, updatedAt: 1 };
  send({ type: "create_message", requestId, message });
  const ofTurn = (frame: string) => frame.replaceAll('"m-1"', `"answer-${String(turnId)}"`);
  await sendDeltas(socket, Number(text), () => session, ofTurn);
  send({ type: "agent_turn_completed", reason: "completed", turnId });
  send({ type: "droid_working_state_changed", newState: "idle" });
}

function noteFrame(session: Session, notification: object): string {
  const frame = JSON.parse(nextFrame(session)) as { params: { notification: object } };
  frame.params.notification = notification;
  return JSON.stringify(frame);
}
