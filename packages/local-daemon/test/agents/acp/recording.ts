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

/** The version of the protocol that the recorded agent answered; the recorder asks for 2 in the recordings named so. */
export function versionOf({ lines }: Pick<Recording, "lines">): 1 | 2 {
  const answer = lines.find(({ dir, frame }) => dir === "a->c" && frame?.method === undefined && frame?.id === 0);
  return (answer?.frame?.result as { protocolVersion?: unknown } | undefined)?.protocolVersion === 2 ? 2 : 1;
}

/** Whether the line ends the prompt of that id: its answer, or in version 2 the report that the agent is idle. */
export function isEnd({ dir, frame }: RecordedLine, promptId: unknown, version: 1 | 2): boolean {
  if (dir !== "a->c" || frame === undefined) return false;
  if (version === 1) return frame.method === undefined && frame.id === promptId;
  return idleUpdateOf(frame) !== undefined || (frame.id === promptId && frame.error !== undefined);
}

/** The reported end of a turn in version 2, which has the keys of a prompt's answer in version 1. */
export function idleUpdateOf({ params }: RecordedFrame): Readonly<Record<string, unknown>> | undefined {
  const update = params?.update as Readonly<Record<string, unknown>> | undefined;
  return update?.sessionUpdate === "state_update" && update.state === "idle" ? update : undefined;
}

/** How many prompts the recorder sent to its first session while no other prompt ran: those that the driver sends, too. */
export function promptsOf({ lines }: Recording): number {
  const version = versionOf({ lines });
  let prompts = 0;
  let sessionId: unknown;
  let running: unknown;
  for (const line of lines) {
    const { dir, event, frame } = line;
    if (running !== undefined && isEnd(line, running, version)) running = undefined;
    if (dir === "event" && (event === "spawn" || event === "exit")) {
      running = undefined;
      if (event === "spawn") sessionId = undefined;
    } else if (frame?.method === "session/prompt" && running === undefined && frame.params?.sessionId === sessionId) {
      prompts++;
      running = frame.id;
    } else if (dir === "c->a" && (frame?.method === "session/load" || frame?.method === "session/resume")) {
      sessionId ??= frame.params?.sessionId;
    } else if (dir === "a->c" && frame?.method === undefined && frame !== undefined) {
      const result = frame.result as { sessionId?: unknown } | null | undefined;
      sessionId ??= result?.sessionId;
    }
  }
  return prompts;
}
