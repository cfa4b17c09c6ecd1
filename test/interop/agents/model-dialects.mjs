/** The wire formats of three model services: how a conversation is read from a request, and how an answer is streamed. */
import { randomUUID } from "node:crypto";

const USAGE = { input: 106, output: 22, cached: 5 };

function textIn(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (typeof part === "string" ? part : (part?.text ?? ""))).join("\n");
}

const ROLES = { assistant: "model", model: "model", tool: "tool", function: "tool" };

/** POST /v1/chat/completions: opencode, pi. */
export const chatCompletions = {
  hasTools: ({ tools = [] }) => tools.length > 0,
  turns: ({ messages = [] }) =>
    messages.map(({ role, content }) => ({ role: ROLES[role] ?? role, text: textIn(content) })),
  begin: (send) => send({ choices: [{ index: 0, delta: { role: "assistant", content: "" } }] }),
  think: (send, text) => send({ choices: [{ index: 0, delta: { reasoning_content: text } }] }),
  say: (send, text) => send({ choices: [{ index: 0, delta: { content: text } }] }),
  tool(send, { tool, args }) {
    const call = { index: 0, id: `call_${randomUUID()}`, type: "function" };
    const delta = { tool_calls: [{ ...call, function: { name: tool, arguments: JSON.stringify(args) } }] };
    send({ choices: [{ index: 0, delta }] });
  },
  end(send, { hasTool }) {
    send({ choices: [{ index: 0, delta: {}, finish_reason: hasTool ? "tool_calls" : "stop" }] });
    const { input, output, cached } = USAGE;
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
    send({ choices: [], usage: { ...usage, prompt_tokens_details: { cached_tokens: cached } } });
    send("[DONE]");
  },
  frame: (data) =>
    `data: ${typeof data === "string" ? data : JSON.stringify({ id: "chat", object: "chat.completion.chunk", created: 0, model: "mock-1", ...data })}\n\n`,
};

/** POST …:streamGenerateContent: Gemini CLI. */
export const generateContent = {
  hasTools: ({ tools = [] }) => tools.length > 0,
  turns: ({ contents = [] }) =>
    contents.map(({ role, parts = [] }) => ({
      role: parts.some(({ functionResponse }) => functionResponse !== undefined) ? "tool" : (ROLES[role] ?? role),
      text: textIn(parts),
    })),
  begin() {},
  think: (send, text) => send(candidate({ text, thought: true })),
  say: (send, text) => send(candidate({ text })),
  tool: (send, { tool, args }) => send(candidate({ functionCall: { name: tool, args } })),
  end(send) {
    const usageMetadata = { promptTokenCount: USAGE.input, candidatesTokenCount: USAGE.output, totalTokenCount: 128 };
    send({ ...candidate({ text: "" }, { finishReason: "STOP" }), usageMetadata });
  },
  frame: (data) => `data: ${JSON.stringify(data)}\r\n\r\n`,
};

function candidate(part, more = {}) {
  return { candidates: [{ index: 0, content: { role: "model", parts: [part] }, ...more }], modelVersion: "mock-1" };
}

/** POST /v1/responses: Codex. An item is added, told in pieces and done; the state is the request's own. */
export const responses = {
  hasTools: ({ tools = [], input = [] }) => tools.length > 0 || input.some(({ type }) => type === "additional_tools"),
  turns: ({ input = [] }) =>
    input.map((item) => {
      if (item.type === "message" || item.type === undefined) {
        return { role: ROLES[item.role] ?? item.role, text: textIn(item.content) };
      }
      const isOurs = /^(?:reasoning|function_call|custom_tool_call)$/u.test(item.type);
      return { role: isOurs ? "model" : "tool", text: "" };
    }),
  begin(send, state) {
    state.items = [];
    send({ type: "response.created", response: { id: "resp", object: "response", status: "in_progress", output: [] } });
  },
  think(send, text, state) {
    openItem(send, state, "reasoning");
    state.open.text += text;
    send({ type: "response.reasoning_summary_text.delta", ...state.open.place, summary_index: 0, delta: text });
  },
  say(send, text, state) {
    openItem(send, state, "message");
    state.open.text += text;
    send({ type: "response.output_text.delta", ...state.open.place, content_index: 0, delta: text });
  },
  tool(send, { tool, args, isCustom }, state) {
    closeItem(send, state);
    const call = { id: `item_${randomUUID()}`, call_id: `call_${randomUUID()}`, name: tool, status: "completed" };
    const item = isCustom
      ? { type: "custom_tool_call", ...call, input: args }
      : { type: "function_call", ...call, arguments: JSON.stringify(args) };
    const output_index = state.items.length;
    state.items.push(item);
    send({ type: "response.output_item.added", output_index, item });
    send({ type: "response.output_item.done", output_index, item });
  },
  end(send, { state }) {
    closeItem(send, state);
    const { input, output, cached } = USAGE;
    const usage = {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 3 },
      total_tokens: input + output,
    };
    const response = { id: "resp", object: "response", status: "completed", output: state.items, usage };
    send({ type: "response.completed", response });
  },
  frame: (data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`,
};

function openItem(send, state, type) {
  if (state.open?.type === type) return;
  closeItem(send, state);
  const id = `${type === "message" ? "msg" : "rs"}_${randomUUID()}`;
  const place = { item_id: id, output_index: state.items.length };
  state.open = { type, id, text: "", place };
  const item = type === "message" ? { type, id, role: "assistant", content: [] } : { type, id, summary: [] };
  send({ type: "response.output_item.added", output_index: place.output_index, item });
  if (type === "reasoning") {
    send({
      type: "response.reasoning_summary_part.added",
      ...place,
      summary_index: 0,
      part: { type: "summary_text", text: "" },
    });
  }
}

function closeItem(send, state) {
  const { open } = state;
  if (open === undefined) return;
  const { type, id, text, place } = open;
  const item =
    type === "message"
      ? { type, id, role: "assistant", status: "completed", content: [{ type: "output_text", text, annotations: [] }] }
      : { type, id, summary: [{ type: "summary_text", text }] };
  state.items.push(item);
  state.open = undefined;
  send({ type: "response.output_item.done", output_index: place.output_index, item });
}
