import type { AgentEvents } from "../agent.js";

/** Events of an agent that serves no session: nobody gets them. */
export const IGNORED_EVENTS: AgentEvents = {
  onNotification: () => {},
  onRequest: () => {},
  onFault: () => {},
  onConversation: () => {},
  onTurnStarted: () => {},
  onTurnEnded: () => {},
  onExit: () => {},
};
