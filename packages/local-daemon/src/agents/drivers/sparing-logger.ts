import type { Logger } from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../limits/index.js";

/**
 * A logger for what one agent says wrong: an agent that prints a million lines of nonsense must not fill the disk with
 * warnings about them. Each warning carries its number and `fields`, which name the agent.
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
      if (warnings <= AGENT_LIMITS.warningsInFull || isPowerOfTwo)
        logger.warn({ ...fields, ...more, warnings }, message);
    },
  };
}
