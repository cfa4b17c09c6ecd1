import type { RelayHandlers, RelayServices } from "../relay-services.js";

/** What LOG needs of the relay. */
export type LogServices = Pick<RelayServices, "logger">;

/**
 * LOG (docs/wire/relay.md#control-messages): a line of an agent's output goes to the daemon's log, under the agent's
 * name. No answer.
 */
export function logHandlers({ logger }: LogServices): RelayHandlers {
  return {
    LOG: ({ name, connectionId }, { ts, payload }) => {
      const at = payload.timestamp ?? ts;
      logger.info({ agent: name, connection: connectionId, at, output: payload.data }, "An agent's output.");
    },
  };
}
