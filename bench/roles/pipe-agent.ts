import { createInterface } from "node:readline";
import { deltaFrame, type Incoming, notificationFrame, resultFrame } from "./frames.js";

const LINES_PER_WRITE = 64;

/** The plainest agent of the stdio wire: a prompt that is a number gets that many deltas, as fast as the pipe takes them. */
export function playPipeAgent(): void {
  let sessionId = "";
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, params } = JSON.parse(line) as Incoming;
    if (method === "droid.initialize_session") {
      sessionId = String(params?.sessionId ?? "session");
      const settings = { modelId: "m", reasoningEffort: "none" };
      write(resultFrame(id, { sessionId, session: { messages: [] }, settings }));
    } else {
      write(resultFrame(id, {}));
    }
    if (method === "droid.add_user_message") void turn(sessionId, String(params?.messageId), Number(params?.text), id);
  });
}

async function turn(sessionId: string, turnId: string, deltas: number, requestId = ""): Promise<void> {
  const say = (notification: object) => write(notificationFrame("droid", sessionId, notification));
  const content = [{ type: "text", text: String(deltas) }];
  say({ type: "droid_working_state_changed", newState: "streaming_assistant_message" });
  say({
    type: "create_message",
    requestId,
    message: { id: turnId, role: "user", content, createdAt: 1, updatedAt: 1 },
  });
  // A message of its own for each turn: what names a message of an ended turn belongs to that turn.
  await blast(deltaFrame("droid", sessionId).replace('"m-1"', `"answer-${turnId}"`), deltas);
  say({ type: "agent_turn_completed", reason: "completed", turnId });
  say({ type: "droid_working_state_changed", newState: "idle" });
}

/** Writes as many deltas as each line of its input says, and nothing else: the agent of the path made by hand. */
export function playBlaster(): void {
  const line = deltaFrame("droid", "session");
  createInterface({ input: process.stdin }).on("line", (count) => void blast(line, Number(count)));
}

/** Writes the same line that many times, and waits whenever the pipe is full. */
async function blast(line: string, count: number): Promise<void> {
  const block = `${line}\n`.repeat(LINES_PER_WRITE);
  for (let written = 0; written < count; written += LINES_PER_WRITE) {
    const lines = Math.min(LINES_PER_WRITE, count - written);
    const text = lines === LINES_PER_WRITE ? block : `${line}\n`.repeat(lines);
    if (!process.stdout.write(text)) await new Promise<void>((drained) => process.stdout.once("drain", drained));
  }
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
