/**
 * An agent, written from docs/agents.md alone: it repeats each prompt. `wait` waits until it is interrupted, `delete …`
 * requests permission first (and deletes nothing), `pick a or b` asks the user.
 *
 * Run it with the daemon: `createDaemon({ agents: { echo: { command: ["node", "dist/echo-agent.js"] } } })`.
 */
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";

type Json = Record<string, unknown>;

type Answer = { readonly result: Json } | { readonly error: { code: number; message: string } };

const waiting = new Map<string, (result: Json) => void>();
let sessionId: string | undefined;
let turn: AbortController | undefined;

// An ended daemon breaks the pipe. The end of stdin reports it, too.
process.stdout.on("error", () => {});

function write(frame: Json): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...frame })}\n`);
}

function tell(type: string, fields: Json): void {
  const params = { sessionId, notification: { type, ...fields } };
  write({ type: "notification", method: "droid.session_notification", params });
}

function tellState(newState: string): void {
  tell("droid_working_state_changed", { newState });
}

/** Sends a request to the user. Without a clear answer, or when the turn is interrupted, the result is empty. */
function ask(method: string, params: Json, signal: AbortSignal): Promise<Json> {
  const id = randomUUID();
  return new Promise((resolve) => {
    const settle = (result: Json) => {
      if (waiting.delete(id)) resolve(result);
    };
    waiting.set(id, settle);
    signal.addEventListener("abort", () => settle({}));
    tellState("waiting_for_tool_confirmation");
    write({ type: "request", id, method: `droid.${method}`, params: { sessionId, ...params } });
  });
}

function message(id: string, role: "user" | "assistant", content: Json[]): Json {
  return { id, role, content, createdAt: Date.now(), updatedAt: Date.now() };
}

/** One message of the assistant: in pieces, then whole. */
function say(text: string): void {
  const id = randomUUID();
  for (const textDelta of text.match(/\s*\S+/g) ?? []) {
    tell("assistant_text_delta", { messageId: id, blockIndex: 0, textDelta });
  }
  tell("assistant_text_complete", { messageId: id, blockIndex: 0 });
  tell("create_message", { message: message(id, "assistant", [{ type: "text", text }]) });
}

async function useTool(input: Json, signal: AbortSignal): Promise<void> {
  const toolUse = { type: "tool_use", id: randomUUID(), name: "Delete", input };
  tell("tool_call", { toolUse });
  tell("create_message", { message: message(randomUUID(), "assistant", [toolUse]) });
  const details = { type: "exec", fullCommand: `delete ${String(input.path)}`, command: "delete" };
  const options = ["proceed_once", "cancel"].map((value) => ({ label: value, value }));
  const question = { toolUses: [{ toolUse, confirmationType: "exec", details }], options };
  const { selectedOption } = await ask("request_permission", question, signal);
  const isError = selectedOption !== "proceed_once";
  const content = isError ? "The person said no." : "Nothing was deleted: this is an example.";
  tell("tool_result", { messageId: randomUUID(), toolUseId: toolUse.id, content, isError });
  if (!isError) say("Done.");
}

async function pick(text: string, signal: AbortSignal): Promise<void> {
  const questions = [{ index: 1, topic: "Choice", question: "Which one?", options: text.split(" or ") }];
  const { answers } = await ask("ask_user", { toolCallId: randomUUID(), questions }, signal);
  const [first] = Array.isArray(answers) ? (answers as Json[]) : [];
  say(first === undefined ? "Then not." : `You chose ${String(first.answer)}.`);
}

async function work(text: string, signal: AbortSignal): Promise<void> {
  const [command, rest = ""] = text.split(/\s+(.*)/s);
  if (command === "delete") await useTool({ path: rest }, signal);
  else if (command === "pick") await pick(rest, signal);
  else say(text);
  if (command === "wait") await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

async function runTurn(messageId: string, text: string, requestId: string): Promise<void> {
  turn = new AbortController();
  const { signal } = turn;
  tellState("streaming_assistant_message");
  tell("create_message", { requestId, message: message(messageId, "user", [{ type: "text", text }]) });
  await work(text, signal);
  turn = undefined;
  const reason = signal.aborted ? "cancelled" : "completed";
  tell("agent_turn_completed", { reason, turnId: messageId });
  tellState("idle");
}

const methods = new Map<string, (params: Json, id: string) => Answer>([
  ["droid.initialize_session", initialize],
  ["droid.add_user_message", addUserMessage],
  ["droid.interrupt_session", interrupt],
]);

function initialize(params: Json): Answer {
  sessionId = typeof params.sessionId === "string" ? params.sessionId : randomUUID();
  return { result: { sessionId, session: { messages: [] }, settings: { modelId: "echo", reasoningEffort: "none" } } };
}

function addUserMessage({ text, messageId = randomUUID() }: Json, id: string): Answer {
  if (typeof text !== "string") return { error: { code: -32602, message: "text must be a string" } };
  // After the answer, which acknowledges the prompt: notifications of the turn follow it.
  setImmediate(() => void runTurn(String(messageId), text, id));
  return { result: {} };
}

function interrupt(): Answer {
  turn?.abort();
  return { result: {} };
}

function read(line: string): void {
  const { type, id, method, params, result } = JSON.parse(line) as Json & { id: string; params?: Json; result?: Json };
  if (type === "response") waiting.get(id)?.(result ?? {});
  if (type !== "request") return;
  const unknown = { error: { code: -32601, message: `Method not found: ${String(method)}` } };
  write({ type: "response", id, ...(methods.get(String(method))?.(params ?? {}, id) ?? unknown) });
}

createInterface({ input: process.stdin })
  .on("line", read)
  .on("close", () => process.exit(0));
