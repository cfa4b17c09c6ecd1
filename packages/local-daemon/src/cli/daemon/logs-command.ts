import { createReadStream, watchFile } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isRecord } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { STATE_FILES } from "../../rendezvous/index.js";
import { countOf } from "../arguments.js";
import type { CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import type { Terminal } from "../terminal.js";

/** Adds `logs`. */
export function addLogsCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "logs",
      "print the end of the daemon's log",
      "the lines as they are in the log, one JSON object each",
    )
    .option("-f, --follow", "go on with what is written from now on", false)
    .option("-n, --lines <n>", "how many lines from the end", countOf, 50)
    .action(
      cli.action((context, options: { follow: boolean; lines: number }) => logs({ ...context, ...options }), "abort"),
    );
}

/** Interval at which `--follow` checks the log. */
const FOLLOW_MS = 200;

/** `local-daemon logs`. */
export interface LogsOptions {
  readonly stateDir: string;
  /** Lines from the end. */
  readonly lines: number;
  /** Also print lines that are added later, until interrupted. */
  readonly follow: boolean;
  /** Prints lines as they are in the log. */
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly interrupted: AbortSignal;
}

/** Prints the end of the daemon's log in readable form. Needs no running daemon. */
export async function logs({ stateDir, lines, follow, json, terminal, interrupted }: LogsOptions): Promise<number> {
  const path = join(stateDir, STATE_FILES.log);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined && !follow) terminal.note(`There is no log yet: ${path}`);
  const all = (text ?? "").split("\n").filter((line) => line !== "");
  const print = (line: string) => (json ? terminal.json(parsed(line)) : terminal.answer(`${readable(line)}\n`));
  for (const line of lines > 0 ? all.slice(-lines) : []) print(line);
  if (follow) await followFile(path, Buffer.byteLength(text ?? ""), { print, interrupted });
  return interrupted.aborted ? EXIT.interrupted : EXIT.ok;
}

/** Prints lines as they are added. A shorter log means that the log was rotated: the new one is read from the start. */
async function followFile(
  path: string,
  from: number,
  { print, interrupted }: { readonly print: (line: string) => void; readonly interrupted: AbortSignal },
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
        print(line);
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
  const { text, time, level, msg, ...fields } = parsed(line);
  if (time === undefined && typeof text === "string") return text;
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [time, String(level).toUpperCase().padEnd(5), msg, ...rest].join(" ");
}

/** The fields of a line. One that is no JSON is one field, `text`. */
function parsed(line: string): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(line);
    if (isRecord(fields)) return fields;
  } catch {
    // A crash, or the output of a child.
  }
  return { text: line };
}
