import { DaemonError, type Logger } from "@daemon-sdk/protocol";
import { destination, pino, stdTimeFunctions } from "pino";
import { PROCESS_LIMITS } from "../limits/index.js";
import { LogBound } from "./log-bound.js";

/** Keys whose values never reach the log, at the top and one level down. */
const SECRETS = ["token", "apiKey", "apiKeys", "proof", "ticket", "authorization"];

/**
 * A logger that appends one JSON object a line to `path` (0600), and leaves out the values of keys that name secrets.
 *
 * Throws `STORAGE_FAILED` when the file cannot be opened. Written at once: the lines before a crash are the ones that are
 * looked for. Lines that the disk has no room for wait, up to {@link PROCESS_LIMITS.logWaitingBytes}, and are lost past that; a full disk
 * must not end the daemon.
 *
 * @param maxBytes size past which it is put aside as `<path>.1`; default `PROCESS_LIMITS.logBytes`
 */
export function openPinoLog(path: string, level: keyof Logger, maxBytes: number = PROCESS_LIMITS.logBytes): Logger {
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
    const logger = pino(
      {
        level,
        base: null,
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        redact: SECRETS.flatMap((key) => [key, `*.${key}`]),
      },
      {
        write: (line: string) => {
          bound.makeRoom(Buffer.byteLength(line));
          file.write(line);
        },
      },
    );
    return {
      debug: (fields, message) => logger.debug(fields, message),
      info: (fields, message) => logger.info(fields, message),
      warn: (fields, message) => logger.warn(fields, message),
      error: (fields, message) => logger.error(fields, message),
    };
  } catch (cause) {
    const fix = "Check the path and its permissions.";
    throw new DaemonError("STORAGE_FAILED", `Could not write the log ${path}. ${fix}`, { cause });
  }
}
