import { createInterface } from "node:readline";
import { deltaFrame, type Incoming, notificationFrame, resultFrame } from "./frames.js";

const TICK_MS = 1;

/** The time of the machine's monotonic clock, in µs: the same in every process. */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/**
 * An agent that writes at a rate: a prompt `<deltas a second> <deltas>` gets so many, each with the time at which it was written as
 * its text. With `flood` as its argument it only writes, for the path made by hand.
 */
export function playPacedAgent(): void {
  const isBare = process.argv[4] === "flood";
  let sessionId = process.argv[5] ?? "";
  createInterface({ input: process.stdin }).on("line", (line) => {
    if (isBare) return void pace(sessionId, "m-1", line);
    const { id, method, params } = JSON.parse(line) as Incoming;
    if (method === "droid.initialize_session") {
      sessionId = String(params?.sessionId ?? "session");
      const settings = { modelId: "m", reasoningEffort: "none" };
      write(resultFrame(id, { sessionId, session: { messages: [] }, settings }));
    } else {
      write(resultFrame(id, {}));
    }
    if (method === "droid.add_user_message") void turn(sessionId, String(params?.messageId), String(params?.text), id);
  });
}

async function turn(sessionId: string, turnId: string, text: string, requestId = ""): Promise<void> {
  const say = (notification: object) => write(notificationFrame("droid", sessionId, notification));
  say({ type: "droid_working_state_changed", newState: "streaming_assistant_message" });
  const message = { id: turnId, role: "user", content: [{ type: "text", text }], createdAt: 1, updatedAt: 1 };
  say({ type: "create_message", requestId, message });
  // A message of its own for each turn: what names a message of an ended turn belongs to that turn.
  await pace(sessionId, `answer-${turnId}`, text);
  say({ type: "agent_turn_completed", reason: "completed", turnId });
  say({ type: "droid_working_state_changed", newState: "idle" });
}

async function pace(sessionId: string, messageId: string, order: string): Promise<void> {
  const [rate = 1, count = 0] = order.split(" ").map(Number);
  const [head = "", tail = ""] = deltaFrame("droid", sessionId)
    .replace('"m-1"', `"${messageId}"`)
    .split(" token by token ");
  const started = performance.now();
  for (let written = 0; written < count; ) {
    const due = Math.min(count, Math.ceil(((performance.now() - started) / 1000) * rate));
    if (due > written) {
      write(Array.from({ length: due - written }, () => `${head}${monotonicMicros()}${tail}`).join("\n"));
      written = due;
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
}

function write(lines: string): void {
  process.stdout.write(`${lines}\n`);
}
