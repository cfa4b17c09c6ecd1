import { ConnectionError } from "@daemon-sdk/protocol";
import type { AgentEvents } from "../agent.js";

/** Reports that an agent is ended because it has not read what was sent to it; does nothing for an output that broke otherwise. */
export function reportUnread(error: Error | undefined, agent: string, events: Pick<AgentEvents, "onFault">): void {
  if (!ConnectionError.is(error, "SLOW_CONSUMER")) return;
  const message = `Agent "${agent}" does not read its stdin, and is ended: ${error.message}`;
  // The output breaks inside a call into the agent.
  process.nextTick(() => events.onFault({ code: "SLOW_CONSUMER", message, isLoss: false }));
}
