import { rename, stat } from "node:fs/promises";
import { DaemonError, type Logger } from "@daemon-sdk/protocol";

/** Past this size the log is put aside at the next start, so that two files hold the recent past and no more. */
const ROTATE_BYTES = 16 * 1024 * 1024;

/** Keys whose values never reach the log, at the top and one level down. */
const SECRETS = ["token", "apiKey", "apiKeys", "proof", "authorization"];

/** The daemon's log, closed at first. */
export interface DaemonLog extends Logger {
  /** Opens the file and writes what was said so far. */
  open(path: string): Promise<void>;
}

type Level = keyof Logger;

/**
 * A log that keeps what it is told until {@link DaemonLog.open}: the library that writes it takes 8 ms to load, which a
 * cold start can do without. One JSON object a line, as pino writes them.
 *
 * @param level lowest level that is written
 */
export function createDaemonLog(level: Level): DaemonLog {
  let waiting: [Level, object, string][] = [];
  let target: Logger | undefined;
  const say = (at: Level) => (fields: object, message: string) => {
    if (target) target[at](fields, message);
    else waiting.push([at, fields, message]);
  };
  return {
    debug: say("debug"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    async open(path) {
      if (target) return;
      target = await openPino(path, level);
      for (const [at, fields, message] of waiting) target[at](fields, message);
      waiting = [];
    },
  };
}

async function openPino(path: string, level: Level): Promise<Logger> {
  await putAside(path);
  const { pino } = await import("pino");
  try {
    const logger = pino(
      {
        level,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        redact: SECRETS.flatMap((key) => [key, `*.${key}`]),
      },
      // Written at once: the lines before a crash are the ones that are looked for.
      pino.destination({ dest: path, append: true, sync: true, mode: 0o600 }),
    );
    return {
      debug: (fields, message) => logger.debug(fields, message),
      info: (fields, message) => logger.info(fields, message),
      warn: (fields, message) => logger.warn(fields, message),
      error: (fields, message) => logger.error(fields, message),
    };
  } catch (cause) {
    throw new DaemonError("STORAGE_FAILED", `Could not write the log ${path}. Check the path and its permissions.`, {
      cause,
    });
  }
}

async function putAside(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && found.size > ROTATE_BYTES) await rename(path, `${path}.1`).catch(() => {});
}
