/**
 * The agent of the console's tests: it answers with everything that a transcript shows, as docs/agents.md has it. The first word of
 * a prompt decides:
 *
 * `report`: thinking, Markdown, a table, code, a diff · `edit`: a tool, then a permission with a difference · `pick`: questions ·
 * `many <n>`: so many messages · `slow`: streams until it is interrupted · anything else is repeated.
 */
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

const waiting = new Map();
let sessionId;
let turn;

process.stdout.on("error", () => {});

function write(frame) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...frame })}\n`);
}

function notify(type, fields) {
  write({
    type: "notification",
    method: "droid.session_notification",
    params: { sessionId, notification: { type, ...fields } },
  });
}

function state(newState) {
  notify("droid_working_state_changed", { newState });
}

function message(role, content, id = randomUUID()) {
  return { id, role, content, createdAt: Date.now(), updatedAt: Date.now() };
}

function say(text, id = randomUUID()) {
  for (const textDelta of text.match(/[\s\S]{1,40}/g) ?? []) {
    notify("assistant_text_delta", { messageId: id, blockIndex: 0, textDelta });
  }
  notify("assistant_text_complete", { messageId: id, blockIndex: 0 });
  notify("create_message", { message: message("assistant", [{ type: "text", text }], id) });
}

function think(thinking, durationMs) {
  const id = randomUUID();
  state("thinking");
  notify("thinking_text_delta", { messageId: id, blockIndex: 0, textDelta: thinking });
  notify("thinking_text_complete", { messageId: id, blockIndex: 0, durationMs });
  const block = { type: "thinking", thinking, signature: "", durationMs };
  notify("create_message", { message: message("assistant", [block], id) });
}

function ask(method, params, signal) {
  const id = randomUUID();
  return new Promise((resolve) => {
    const settle = (result) => {
      if (waiting.delete(id)) resolve(result);
    };
    waiting.set(id, settle);
    signal.addEventListener("abort", () => settle({}));
    state("waiting_for_tool_confirmation");
    write({ type: "request", id, method: `droid.${method}`, params: { sessionId, ...params } });
  });
}

/** Calls a tool; `details` are what a permission request shows, where one is wanted. */
async function tool(name, input, output, signal, details) {
  const toolUse = { type: "tool_use", id: randomUUID(), name, input };
  state("executing_tool");
  notify("tool_call", { toolUse });
  notify("create_message", { message: message("assistant", [toolUse]) });
  let isError = false;
  if (details !== undefined) {
    const options = [
      { label: "Yes, once", value: "proceed_once" },
      { label: "Yes, always for this file", value: "proceed_always" },
      { label: "No", value: "cancel" },
    ];
    const toolUses = [{ toolUse, confirmationType: details.type, details }];
    const { selectedOption } = await ask("request_permission", { toolUses, options }, signal);
    isError = selectedOption === undefined || selectedOption === "cancel";
  }
  const content = isError ? "The user said no." : output;
  notify("tool_result", { messageId: randomUUID(), toolUseId: toolUse.id, content, isError });
  const result = { type: "tool_result", toolUseId: toolUse.id, content, isError };
  notify("create_message", { message: message("user", [result]) });
  return !isError;
}

const BEFORE = `import { createServer } from "node:http";

export function start(port) {
  const server = createServer(handle);
  server.listen(port);
  return server;
}

function handle(request, response) {
  response.end("ok");
}
`;

const AFTER = BEFORE.replace(
  "server.listen(port);",
  'server.requestTimeout = 30_000;\n  server.listen(port, "127.0.0.1");',
);

const REPORT = `The server listens on **every address** of the machine and never times a request out. Two lines change that:

1. \`listen\` gets the loopback address.
2. \`requestTimeout\` ends a request that takes longer than 30 s.

\`\`\`ts
server.requestTimeout = 30_000;
server.listen(port, "127.0.0.1");
\`\`\`

| test | before | after |
|---|---:|---:|
| from another machine | answers | refused |
| a request of 40 s | waits | 408 |

The change as a diff:

\`\`\`diff
@@ -3,5 +3,6 @@
 export function start(port) {
   const server = createServer(handle);
-  server.listen(port);
+  server.requestTimeout = 30_000;
+  server.listen(port, "127.0.0.1");
   return server;
 }
\`\`\`

> Nothing else of the file is touched. See [the manual](https://nodejs.org/api/http.html).

<img src=x onerror="globalThis.broken = true"> is text here, and so is [this](javascript:alert(1)).`;

async function report(signal) {
  think("The user asks about the server. I read the file first, then look for what listens and what times out.", 2_300);
  await tool("Read", { file_path: "src/server.ts" }, BEFORE, signal);
  await tool("Execute", { command: "npm test -- server" }, "✓ server answers (12 ms)\n✓ server stops (3 ms)\n", signal);
  say(REPORT);
}

async function edit(signal) {
  await tool("Read", { file_path: "src/server.ts" }, BEFORE, signal);
  const file = { filePath: "/home/ada/api/src/server.ts", fileName: "server.ts" };
  const details = { type: "edit", ...file, oldContent: BEFORE, newContent: AFTER };
  const input = { file_path: file.filePath, old_string: BEFORE, new_string: AFTER };
  if (await tool("Edit", input, "Wrote src/server.ts.", signal, details))
    say("Done: the server listens on loopback only.");
}

async function pick(signal) {
  const questions = [
    { index: 1, topic: "Storage", question: "Where are the uploads to be kept?", options: ["On disk", "In a bucket"] },
    { index: 2, topic: "Time", question: "For how long?", options: ["30 days", "A year", "For ever"] },
  ];
  const { answers = [] } = await ask("ask_user", { toolCallId: randomUUID(), questions }, signal);
  say(answers.length === 0 ? "Then not." : `You chose: ${answers.map(({ answer }) => answer).join(", ")}.`);
}

async function many(count, signal) {
  for (let n = 0; n < count && !signal.aborted; n++) {
    const text =
      n % 7 === 0 ? `## Step ${n}\n\n- one\n- two\n\n\`\`\`js\nconst n = ${n};\n\`\`\`` : `Line ${n} of many.`;
    notify("create_message", { message: message("assistant", [{ type: "text", text }]) });
    if (n % 200 === 199) await pause(1);
  }
}

async function slow(signal) {
  const id = randomUUID();
  for (let n = 0; !signal.aborted && n < 3_000; n++) {
    notify("assistant_text_delta", { messageId: id, blockIndex: 0, textDelta: `word ${n} ` });
    await pause(20);
  }
}

async function work(text, signal) {
  const [word, rest = ""] = text.split(/\s+(.*)/s);
  const command = word.toLowerCase();
  if (command === "report") await report(signal);
  else if (command === "edit") await edit(signal);
  else if (command === "pick") await pick(signal);
  else if (command === "many") await many(Number(rest), signal);
  else if (command === "slow") await slow(signal);
  else say(text);
}

async function runTurn(messageId, text, requestId) {
  turn = new AbortController();
  const { signal } = turn;
  state("streaming_assistant_message");
  notify("create_message", { requestId, message: message("user", [{ type: "text", text }], messageId) });
  await work(text, signal);
  turn = undefined;
  notify("agent_turn_completed", { reason: signal.aborted ? "cancelled" : "completed", turnId: messageId });
  state("idle");
}

const methods = new Map([
  ["droid.initialize_session", initialize],
  ["droid.load_session", initialize],
  ["droid.add_user_message", addUserMessage],
  ["droid.interrupt_session", interrupt],
]);

function initialize(params) {
  sessionId = typeof params.sessionId === "string" ? params.sessionId : randomUUID();
  return { result: { sessionId, session: { messages: [] }, settings: { modelId: "demo-1", reasoningEffort: "none" } } };
}

function addUserMessage({ text, messageId = randomUUID() }, id) {
  setImmediate(() => void runTurn(String(messageId), text, id));
  return { result: {} };
}

function interrupt() {
  turn?.abort();
  return { result: {} };
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { type, id, method, params = {}, result = {} } = JSON.parse(line);
    if (type === "response") waiting.get(id)?.(result);
    if (type !== "request") return;
    const unknown = { error: { code: -32601, message: `Method not found: ${method}` } };
    write({ type: "response", id, ...(methods.get(method)?.(params, id) ?? unknown) });
  })
  .on("close", () => process.exit(0));
