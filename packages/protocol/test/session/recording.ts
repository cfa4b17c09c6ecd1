import { readFileSync } from "node:fs";

/**
 * One line of a recording of `droid exec` (docs/wire/agent-stdio.md#a-plain-turn): what happened, when, and the frame,
 * if it was one.
 */
interface RecordedEvent {
  readonly t: number;
  readonly dir: "spawn" | "send" | "recv" | "exit";
  readonly json?: Record<string, unknown> & { type: string; id?: string; method?: string };
}

export const RECORDINGS = [
  "fail401",
  "hello",
  "interrupt",
  "multi-turn",
  "think",
  "tool-permission-cancel",
  "tool-permission-once",
  "tool-read",
] as const;

/** The events of a recording, in order. */
export function recording(name: (typeof RECORDINGS)[number]): RecordedEvent[] {
  const path = new URL(`../fixtures/stream-jsonrpc/${name}.jsonl`, import.meta.url);
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as RecordedEvent);
}
