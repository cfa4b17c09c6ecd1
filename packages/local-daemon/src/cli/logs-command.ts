import { createReadStream, watchFile } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isRecord } from "@daemon-sdk/protocol";
import { STATE_FILES } from "../rendezvous/index.js";
import { EXIT } from "./fail.js";
import type { Terminal } from "./terminal.js";

/** Interval at which `--follow` checks the log. */
const FOLLOW_MS = 200;

/** `local-daemon logs`. */
export interface LogsOptions {
  readonly stateDir: string;
  /** Lines from the end. */
  readonly lines: number;
  /** Also print lines that are added later, until interrupted. */
  readonly follow: boolean;
  readonly terminal: Terminal;
  readonly interrupted: AbortSignal;
}

/** Prints the end of the daemon's log in readable form. Needs no running daemon. */
export async function logs({ stateDir, lines, follow, terminal, interrupted }: LogsOptions): Promise<number> {
  const path = join(stateDir, STATE_FILES.log);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined && !follow) terminal.note(`There is no log yet: ${path}`);
  const all = (text ?? "").split("\n").filter((line) => line !== "");
  for (const line of lines > 0 ? all.slice(-lines) : []) terminal.answer(`${readable(line)}\n`);
  if (follow) await followFile(path, Buffer.byteLength(text ?? ""), { terminal, interrupted });
  return EXIT.ok;
}

/** Prints lines as they are added. A shorter log means that the log was rotated: the new one is read from the start. */
async function followFile(
  path: string,
  from: number,
  { terminal, interrupted }: Pick<LogsOptions, "terminal" | "interrupted">,
): Promise<void> {
  let offset = from;
  let wake: () => void = () => {};
  const watcher = watchFile(path, { interval: FOLLOW_MS }, () => wake());
  interrupted.addEventListener("abort", () => wake(), { once: true });
  while (!interrupted.aborted) {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size < offset) offset = 0;
    if (size > offset) {
      for await (const line of createInterface({ input: createReadStream(path, { start: offset, end: size - 1 }) })) {
        terminal.answer(`${readable(line)}\n`);
      }
      offset = size;
      continue;
    }
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (interrupted.aborted) resolve();
    });
  }
  watcher.removeAllListeners();
  watcher.unref();
}

/** `time level message key=value …`; a line that is no JSON (a crash, a child's output) unchanged. */
function readable(line: string): string {
  try {
    const parsed: unknown = JSON.parse(line);
    if (!isRecord(parsed)) return line;
    const { time, level, msg, ...fields } = parsed;
    const rest = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    return [time, String(level).toUpperCase().padEnd(5), msg, ...rest].join(" ");
  } catch {
    return line;
  }
}
