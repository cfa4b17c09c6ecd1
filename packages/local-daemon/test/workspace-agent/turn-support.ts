import { access } from "node:fs/promises";
import type { Running } from "../agents/agent-harness.js";

export const high = { autonomyLevel: "high" };

/** Runs one prompt to its end and says how it ended. */
export async function run(running: Running, text: string, extra: object = {}) {
  const count = running.witness.of("ended").length + 1;
  await running.prompt(text, extra);
  return running.witness.turnEnd(count);
}

/** Text of the last message of the assistant. */
export function answer({ witness }: Running): string {
  const messages = witness
    .typed("create_message")
    .map(({ message }) => message as { role: string; content: { text?: string }[] });
  const last = messages.filter(({ role }) => role === "assistant").at(-1);
  return (last?.content ?? []).map(({ text }) => text ?? "").join("");
}

export const results = ({ witness }: Running) =>
  witness.typed("tool_result").map(({ content, isError }) => ({ content, isError }));
export const types = ({ witness }: Running) =>
  witness.told.map((one) => (one.kind === "notification" ? one.notification.type : one.kind));

export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
