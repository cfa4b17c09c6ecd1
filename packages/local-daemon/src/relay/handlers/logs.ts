import type { HandlerGroup } from "../router.js";
import type { RelayParts } from "./relay-parts.js";

/**
 * LOG (docs/wire/relay.md#control-messages): a line of an agent's output goes to the daemon's log, under the agent's
 * name. No answer.
 */
export function logHandlers({ logger }: Pick<RelayParts, "logger">): HandlerGroup {
  return {
    handlers: {
      LOG: ({ name, connectionId }, { ts, payload }) => {
        const at = payload.timestamp ?? ts;
        logger.info({ agent: name, connection: connectionId, at, output: payload.data }, "An agent's output.");
      },
    },
  };
}
