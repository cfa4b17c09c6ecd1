export { isLasting, isOfAgent, withRequestId } from "./agent-notifications.js";
export { conversationChange, messageText, titleFrom } from "./conversation.js";
export {
  damagedNotice,
  envLostNotice,
  errorNotice,
  forgottenNotices,
  oversizedFault,
  releasedNotice,
  undurableNotice,
} from "./notices.js";
export { boundedTitle, isReportable } from "./row-bounds.js";
export { agentParamsOf, agentSettings, askedFor, changedSettings, pickSettings } from "./settings.js";
