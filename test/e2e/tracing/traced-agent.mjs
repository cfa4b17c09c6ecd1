/** An agent that repeats its prompt, in a span of its own within the trace that it gets with the prompt. */
import "./remote-exporter.mjs";
import { createInterface } from "node:readline";
import { propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";

let sessionId;

function write(frame) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...frame })}\n`);
}

function notify(type, fields) {
  const params = { sessionId, notification: { type, ...fields } };
  write({ type: "notification", method: "droid.session_notification", params });
}

function createMessage(id, role, text, requestId) {
  const message = { id, role, content: [{ type: "text", text }], createdAt: Date.now(), updatedAt: Date.now() };
  notify("create_message", { message, ...(requestId && { requestId }) });
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params, _meta = {} } = JSON.parse(line);
  if (method === "droid.initialize_session") {
    sessionId = params.sessionId;
    const settings = { modelId: "echo", reasoningEffort: "none" };
    write({ type: "response", id, result: { sessionId, session: { messages: [] }, settings } });
  } else if (method === "droid.add_user_message") {
    const span = trace.getTracer("agent").startSpan("think", {}, propagation.extract(ROOT_CONTEXT, _meta));
    write({ type: "response", id, result: {} });
    notify("droid_working_state_changed", { newState: "streaming_assistant_message" });
    createMessage(params.messageId, "user", params.text, id);
    createMessage("answer", "assistant", params.text);
    span.end();
    notify("agent_turn_completed", { reason: "completed", turnId: params.messageId });
    notify("droid_working_state_changed", { newState: "idle" });
  } else write({ type: "response", id, result: {} });
});
