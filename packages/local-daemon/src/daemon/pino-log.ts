import { DaemonError, type Logger } from "@daemon-sdk/protocol";
import { destination, pino } from "pino";
import { PROCESS_LIMITS } from "../limits/index.js";
import { LogBound } from "./log-bound.js";
import { readableLine } from "./readable-line.js";
import type { WriteLine } from "./write-line.js";

/** Keys whose values never reach the log, at the top and one level down. */
const SECRETS = ["token", "apiKey", "apiKeys", "proof", "ticket", "authorization"];

/** Options of {@link openPinoLog}. */
export interface PinoLogOptions {
  /** Lowest level that is written. */
  readonly level: keyof Logger;
  readonly file: string;
  /** Size past which the file is put aside as `<file>.1`; default `PROCESS_LIMITS.logBytes`. */
  readonly maxBytes?: number;
  /** Whether the lines go to stdout as well. Default false. */
  readonly toStdout?: boolean;
}

/**
 * Opens a log that appends one JSON object a line to a file (0600), and leaves out the values of keys that name secrets.
 *
 * Throws `STORAGE_FAILED` when the file cannot be opened. Written at once: the lines before a crash are the ones that are
 * looked for. Lines that the disk has no room for wait, up to {@link PROCESS_LIMITS.logWaitingBytes}, and are lost past that; a full disk
 * must not end the daemon, and a reader of stdout that is slow or gone must not either.
 */
export function openPinoLog({ level, file, maxBytes, toStdout = false }: PinoLogOptions): WriteLine {
  const write = openFile(file, maxBytes ?? PROCESS_LIMITS.logBytes);
  const show = toStdout ? stdoutWriter() : undefined;
  let eventAt = 0;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(eventAt).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: SECRETS.flatMap((key) => [key, `*.${key}`]),
    },
    {
      write: (line: string) => {
        write(line);
        show?.(line);
      },
    },
  );
  return (at, fields, message, time) => {
    eventAt = time;
    logger[at](fields, message);
  };
}

function openFile(path: string, maxBytes: number): (line: string) => void {
  try {
    const bound = new LogBound(path, maxBytes);
    const file = destination({
      dest: path,
      append: true,
      sync: true,
      mode: 0o600,
      maxLength: PROCESS_LIMITS.logWaitingBytes,
    });
    // Without a listener the error would end the process.
    file.on("error", () => {});
    return (line) => {
      bound.makeRoom(Buffer.byteLength(line));
      file.write(line);
    };
  } catch (cause) {
    const fix = "Check the path and its permissions.";
    throw new DaemonError("STORAGE_FAILED", `Could not write the log ${path}. ${fix}`, { cause });
  }
}

/** Writes lines to stdout while somebody reads them: what a slow reader has not taken is bounded, and later lines are dropped. */
function stdoutWriter(): (line: string) => void {
  const { stdout } = process;
  let isGone = false;
  stdout.on("error", () => {
    isGone = true;
  });
  return (line) => {
    if (isGone || stdout.writableLength > PROCESS_LIMITS.logWaitingBytes) return;
    stdout.write(stdout.isTTY ? readableLine(line, { isStyled: stdout.hasColors() }) : line);
  };
}
