// An agent that talks until it is told to stop, five words every tenth of a second. It needs nothing but Node, not
// even the fake agent of the testing package, so that a hundred of them start soon: node talking-agent.mjs
import { createInterface } from "node:readline";

const settings = { modelId: "talking", reasoningEffort: "none" };
const WORDS = 5;
const EVERY_MS = 100;
let sessionId;
let turn;

function write(frame) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...frame })}\n`);
}
function tell(notification) {
  write({ type: "notification", method: "droid.session_notification", params: { sessionId, notification } });
}

function begin({ text, messageId }, requestId) {
  const at = { createdAt: Date.now(), updatedAt: Date.now() };
  const id = `answer-${messageId}`;
  tell({ type: "droid_working_state_changed", newState: "streaming_assistant_message" });
  const message = { id: messageId, role: "user", content: [{ type: "text", text }], ...at };
  tell({ type: "create_message", requestId, message });
  let count = 0;
  const timer = setInterval(() => {
    for (let word = 0; word < WORDS; word += 1) {
      count += 1;
      tell({ type: "assistant_text_delta", messageId: id, blockIndex: 0, textDelta: `${count} ` });
    }
  }, EVERY_MS);
  turn = { messageId, timer };
}

function stop() {
  if (turn === undefined) return;
  clearInterval(turn.timer);
  tell({ type: "agent_turn_completed", reason: "interrupted", turnId: turn.messageId });
  tell({ type: "droid_working_state_changed", newState: "idle" });
  turn = undefined;
}

function open(params) {
  sessionId = params.sessionId ?? "talking";
  return { sessionId, session: { messages: [] }, settings };
}

const methods = {
  "droid.initialize_session": open,
  "droid.load_session": open,
  "droid.add_user_message": () => ({}),
  "droid.interrupt_session": () => ({}),
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { type, id, method, params } = JSON.parse(line);
    if (type !== "request") return;
    const answer = methods[method];
    const error = { code: -32601, message: `Method not found: ${method}` };
    write({ type: "response", id, ...(answer === undefined ? { error } : { result: answer(params) }) });
    if (method === "droid.add_user_message") begin(params, id);
    if (method === "droid.interrupt_session") stop();
  })
  .on("close", () => process.exit());
