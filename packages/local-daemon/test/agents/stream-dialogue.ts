import { join } from "node:path";
import { onTestFinished } from "vitest";
import { fixture, openAgent, type Running, startAgent, tempDir, writeRecording } from "./agent-harness.js";

/** Drives a recording of the real agent: opens the session and hands over one prompt. */
export async function replay(name: string): Promise<Running> {
  const running = await openAgent({
    command: [process.execPath, fixture("replay-agent.mjs"), fixture(`stream-jsonrpc/${name}.jsonl`)],
  });
  await running.prompt("as recorded");
  return running;
}

export const base = { jsonrpc: "2.0", factoryApiVersion: "1.0.0" };
export const send = (id: string) => ({ dir: "send", json: { type: "request", id } });
export const answer = (id: string, result: object = {}) => ({
  dir: "recv",
  json: { ...base, type: "response", id, result },
});
export const refuse = (id: string, code: number, message: string) => ({
  dir: "recv",
  json: { ...base, type: "response", id, error: { code, message } },
});
export const tell = (notification: object) => ({
  dir: "recv",
  json: {
    ...base,
    type: "notification",
    method: "droid.session_notification",
    params: { sessionId: "own-id", notification },
  },
});
export const state = (newState: string) => tell({ type: "droid_working_state_changed", newState });
export const delta = (textDelta: string) =>
  tell({ type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta });
export const ownMessage = (id: string) =>
  tell({
    type: "create_message",
    message: { id: "u", role: "user", content: [], createdAt: 1, updatedAt: 1 },
    requestId: id,
  });
export const completed = (reason: string, turnId = "u") =>
  tell({ type: "agent_turn_completed", reason, turnId, durationMs: 7 });
export const opening = [
  send("r1"),
  answer("r1", { sessionId: "own-id", session: { messages: [] }, settings: { modelId: "m", reasoningEffort: "none" } }),
];
export const end = { dir: "exit", code: 0 };

async function recording(...entries: object[]): Promise<readonly [string, ...string[]]> {
  const directory = await tempDir();
  onTestFinished(() => directory[Symbol.asyncDispose]());
  const path = join(directory.path, "dialogue.jsonl");
  await writeRecording(path, [...entries, end]);
  return [process.execPath, fixture("replay-agent.mjs"), path];
}

/** Drives a dialogue written here, in the form of the recordings; the session is open when this resolves. */
export async function dialogue(...entries: object[]): Promise<Running> {
  return openAgent({ command: await recording(...opening, ...entries) });
}

/** As {@link dialogue}, for a session that is still to be opened. */
export async function unopened(...entries: object[]): Promise<Running> {
  return startAgent({ command: await recording(...entries) });
}

/** `type` of every notification passed on, in order. */
export const types = (running: Running) =>
  running.witness.of("notification").map(({ notification }) => notification.type);
export const states = (running: Running) =>
  running.witness.typed("droid_working_state_changed").map(({ newState }) => newState);
