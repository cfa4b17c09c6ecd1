import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One line of a recording (test/recordings/acp/README.md). */
export interface RecordedLine {
  readonly dir: "c->a" | "a->c" | "event";
  readonly event?: string;
  readonly frame?: RecordedFrame;
  readonly raw?: string;
}

export interface RecordedFrame {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** One recording of a real agent. */
export interface Recording {
  readonly agent: string;
  readonly scenario: string;
  readonly lines: readonly RecordedLine[];
}

const FOLDER = fileURLToPath(new URL("../../../../../test/recordings/acp/", import.meta.url));

/** All recordings, by agent and scenario. */
export function allRecordings(): Recording[] {
  const agents = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return agents.flatMap(({ name: agent }) =>
    readdirSync(join(FOLDER, agent)).map((file) => ({
      agent,
      scenario: basename(file, ".jsonl"),
      lines: readFileSync(join(FOLDER, agent, file), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as RecordedLine),
    })),
  );
}

/** How many prompts the recorder sent to its first session while no other prompt ran: those that the driver sends, too. */
export function promptsOf({ lines }: Recording): number {
  let prompts = 0;
  let sessionId: unknown;
  let running: unknown;
  for (const { dir, event, frame } of lines) {
    if (dir === "event" && (event === "spawn" || event === "exit")) {
      running = undefined;
      if (event === "spawn") sessionId = undefined;
    } else if (frame?.method === "session/prompt" && running === undefined && frame.params?.sessionId === sessionId) {
      prompts++;
      running = frame.id;
    } else if (dir === "c->a" && (frame?.method === "session/load" || frame?.method === "session/resume")) {
      sessionId ??= frame.params?.sessionId;
    } else if (dir === "a->c" && frame?.method === undefined && frame !== undefined) {
      if (frame.id === running) running = undefined;
      const result = frame.result as { sessionId?: unknown } | null | undefined;
      sessionId ??= result?.sessionId;
    }
  }
  return prompts;
}
