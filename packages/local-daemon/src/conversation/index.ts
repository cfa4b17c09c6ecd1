export { conversationChange, messageText, titleFrom } from "./conversation.js";
export { damagedNotice, errorNotice, forgottenNotices, releasedNotice, undurableNotice } from "./notices.js";
export { agentParamsOf, agentSettings, askedFor, changedSettings, pickSettings } from "./settings.js";
