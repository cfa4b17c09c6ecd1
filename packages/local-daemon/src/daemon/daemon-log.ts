import { type Logger, silentLogger } from "@daemon-sdk/protocol";

/** The daemon's log, which is opened later. */
export interface DaemonLog extends Logger {
  /** Opens the file and writes the buffered lines. */
  open(path: string): Promise<void>;
}

type Level = keyof Logger;

/**
 * A log that keeps what it is told until {@link DaemonLog.open}: the library that writes it takes 8 ms to load, which a
 * cold start can do without.
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
      if (target !== undefined) return;
      try {
        const { openPinoLog } = await import("./pino-log.js");
        target = openPinoLog(path, level);
      } catch (error) {
        // Then the daemon runs without a log, and buffers no lines.
        target = silentLogger;
        throw error;
      } finally {
        for (const [at, fields, message] of waiting) target?.[at](fields, message);
        waiting = [];
      }
    },
  };
}
