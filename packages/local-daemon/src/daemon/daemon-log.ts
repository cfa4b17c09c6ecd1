import { type Logger, silentLogger } from "@daemon-sdk/protocol";
import type { WriteLine } from "./write-line.js";

/** Where a log goes. */
export interface LogTargets {
  /** Path of the file. */
  readonly file: string;
  /** Whether the lines go to stdout as well: as JSON, and readable at a terminal. */
  readonly toStdout: boolean;
}

/** The daemon's log, which is opened later. */
export interface DaemonLog extends Logger {
  /** Opens the targets and writes the buffered lines. Does nothing the second time. */
  open(targets: LogTargets): Promise<void>;
}

type Line = Parameters<WriteLine>;

/**
 * A log that keeps what it is told until {@link DaemonLog.open}: the library that writes it takes 8 ms to load, which a
 * cold start can do without. Each line has the time of its event, also one that was kept.
 *
 * @param level lowest level that is written
 */
export function createDaemonLog(level: keyof Logger): DaemonLog {
  let waiting: Line[] = [];
  let isOpen = false;
  let write: WriteLine = (...line) => void waiting.push(line);
  const say = (at: keyof Logger) => (fields: object, message: string) => write(at, fields, message, Date.now());
  return {
    debug: say("debug"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    async open(targets) {
      if (isOpen) return;
      isOpen = true;
      try {
        const { openPinoLog } = await import("./pino-log.js");
        write = openPinoLog({ level, ...targets });
      } catch (error) {
        // Then the daemon runs without a log, and buffers no lines.
        write = (at, fields, message) => silentLogger[at](fields, message);
        throw error;
      } finally {
        for (const line of waiting) write(...line);
        waiting = [];
      }
    },
  };
}
