// An agent that does what a prompt says, one command a line; what it answers is the last line's outcome. Needs nothing but Node, so
// that hundreds of them start soon. START_MS: processor time that a start costs; STARTS_FILE: where starts are written down.
import { appendFileSync, writeSync } from "node:fs";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";

const { START_MS = "0", STARTS_FILE } = process.env;
const settings = { modelId: "hostile", reasoningEffort: "none" };
const waiting = new Map();
let interrupted = () => {};
let asked = 0;

function noteStart(what) {
  if (STARTS_FILE !== undefined) appendFileSync(STARTS_FILE, `${what} ${process.pid} ${Date.now()}\n`);
}

/** All of it, also where the pipe is full: nothing else of this process goes on meanwhile. */
function put(data) {
  const bytes = Buffer.from(data);
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(1, bytes, offset);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
const text = (frame) => `${JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...frame })}\n`;
const note = (notification) =>
  text({ type: "notification", method: "droid.session_notification", params: { notification } });
const tell = (notification) => put(note(notification));
const delta = (messageId, textDelta) => note({ type: "assistant_text_delta", messageId, blockIndex: 0, textDelta });
const message = (role, content, id = crypto.randomUUID()) => ({
  type: "create_message",
  message: { id, role, content: [{ type: "text", text: content }], createdAt: Date.now(), updatedAt: Date.now() },
});

/** For that many milliseconds the same bytes, as fast as they are taken. */
async function flood(ms, batch, write = put) {
  const started = performance.now();
  while (performance.now() - started < ms) {
    write(batch);
    await turn();
  }
}

const LINE = "2026-11-30T04:00:00 INFO compiling module foo bar baz and so on and so forth";
const commands = {
  hang: () => new Promise((resolve) => (interrupted = resolve)),
  sleep: (_id, ms) => delay(Number(ms)),
  exit: (_id, code) => process.exit(Number(code)),
  /** A text of so many bytes in one frame. */
  line: (id, bytes, count = "1") => {
    for (let n = 0; n < Number(count); n += 1) put(delta(id, "x".repeat(Number(bytes))));
  },
  tool: (id, bytes) =>
    tell({ type: "tool_result", toolUseId: "tool", messageId: id, content: "r".repeat(Number(bytes)), isError: false }),
  title: (_id, chars) => tell({ type: "session_title_updated", title: "T".repeat(Number(chars)), updateType: "auto" }),
  messages: (_id, count, bytes, word = "word") => {
    for (let n = 0; n < Number(count); n += 1)
      tell(message(n % 2 === 0 ? "assistant" : "user", `${word} ${n} `.padEnd(Number(bytes), "lorem ipsum ")));
  },
  junk: (_id, ms) => flood(Number(ms), "x\n".repeat(20_000)),
  log: (_id, ms) => flood(Number(ms), `${LINE}\n`.repeat(1_000)),
  deltas: (id, ms) => flood(Number(ms), delta(id, "y").repeat(500)),
  noise: (_id, ms) =>
    flood(Number(ms), Buffer.from([0xff, 0xc0, 0x00, 0x80, 0x7b, 0x0a]).toString("latin1").repeat(10_000)),
  endless: async (_id, ms) => {
    await flood(Number(ms), "z".repeat(60_000));
    put("\n");
  },
  stderr: (_id, ms) => flood(Number(ms), `${LINE}\n`.repeat(1_000), (batch) => writeSync(2, batch)),
  bom: () => put("\ufeff"),
  glue: () => put("a prompt without its newline> "),
  /** The time, so many times, evenly spread. */
  tick: async (id, count, ms) => {
    const started = performance.now();
    for (let told = 0; told < Number(count); await delay(5)) {
      const due = Math.min(Number(count), Math.floor(((performance.now() - started) / Number(ms)) * Number(count)));
      for (; told < due; told += 1) put(delta(id, String(process.hrtime.bigint())));
    }
  },
  /** So many permissions at a time, each of so many bytes; what became of them. `and go on`: waits for no answer. */
  ask: async (_id, count, bytes = "10", ...goOn) => {
    const answers = Array.from({ length: Number(count) }, () => ask(Number(bytes)));
    if (goOn.length > 0) return "";
    const outcomes = (await Promise.all(answers)).map(
      ({ result, error }) => result?.selectedOption ?? `error ${error?.code}`,
    );
    return [...new Set(outcomes)].join(", ");
  },
};

function ask(bytes) {
  const id = `question-${++asked}`;
  const toolUse = { type: "tool_use", id: `tool-${asked}`, name: "Execute", input: { pad: "p".repeat(bytes) } };
  const details = { type: "exec", fullCommand: "true", command: "true" };
  const options = [
    { label: "Yes", value: "proceed_once" },
    { label: "No", value: "cancel" },
  ];
  const params = { toolUses: [{ toolUse, confirmationType: "exec", details }], options };
  put(text({ type: "request", id, method: "droid.request_permission", params }));
  return new Promise((resolve) => waiting.set(id, resolve));
}

async function run({ text: prompt, messageId }, requestId) {
  const id = crypto.randomUUID();
  tell({ type: "droid_working_state_changed", newState: "streaming_assistant_message" });
  tell({ ...message("user", prompt.slice(0, 1_000), messageId), requestId });
  let outcome = "";
  for (const line of prompt.split("\n")) {
    const [name, ...words] = line.split(" ");
    const command = Object.hasOwn(commands, name) ? commands[name] : () => line;
    outcome = (await command(id, ...words)) ?? "";
  }
  tell(message("assistant", outcome === "" ? "done" : outcome, id));
  tell({ type: "agent_turn_completed", reason: "completed", turnId: messageId });
  tell({ type: "droid_working_state_changed", newState: "idle" });
}

const methods = {
  "droid.initialize_session": ({ sessionId = crypto.randomUUID() }) => {
    noteStart("started");
    return { sessionId, session: { messages: [] }, settings };
  },
  "droid.load_session": () => {
    noteStart("started");
    return { session: { messages: [] }, settings };
  },
  "droid.add_user_message": () => ({}),
  "droid.fork_session": () => ({ newSessionId: crypto.randomUUID() }),
  "droid.interrupt_session": () => {
    interrupted();
    return {};
  },
};

function take({ type, id, method, params, ...answer }) {
  if (type === "response") {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  }
  if (type !== "request") return;
  const error = { code: -32601, message: `Method not found: ${method}` };
  put(
    text({
      type: "response",
      id,
      ...(Object.hasOwn(methods, method) ? { result: methods[method](params) } : { error }),
    }),
  );
  if (method === "droid.add_user_message") void run(params, id);
}

noteStart("starts");
const before = process.cpuUsage();
const used = () => process.cpuUsage(before).user / 1_000;
while (used() < Number(START_MS));
let rest = "";
process.stdin
  .setEncoding("utf8")
  .on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    for (const line of lines) take(JSON.parse(line));
  })
  .on("end", () => process.exit());
