import type { Logger } from "@daemon-sdk/protocol";

/** Warnings of one agent that are all written; after these, only the 32nd, 64th, 128th and so on. */
const WRITTEN_IN_FULL = 20;

/**
 * A logger for what one agent says wrong: an agent that prints a million lines of nonsense must not fill the disk with
 * warnings about them. Each warning carries its number and `fields`, which tell whose it is.
 */
export function sparingLogger(logger: Logger, fields: object): Logger {
  let warnings = 0;
  return {
    debug: (more, message) => logger.debug({ ...fields, ...more }, message),
    info: (more, message) => logger.info({ ...fields, ...more }, message),
    error: (more, message) => logger.error({ ...fields, ...more }, message),
    warn(more, message) {
      warnings++;
      const isPowerOfTwo = (warnings & (warnings - 1)) === 0;
      if (warnings <= WRITTEN_IN_FULL || isPowerOfTwo) logger.warn({ ...fields, ...more, warnings }, message);
    },
  };
}
