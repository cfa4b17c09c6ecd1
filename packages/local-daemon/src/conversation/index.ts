export { conversationChange, copyOf, messageText, titleFrom } from "./conversation.js";
export { errorNotice, forgottenNotices, releasedNotice, undurableNotice } from "./notices.js";
export { agentParamsOf, agentSettings, askedFor, changedSettings, pickSettings } from "./settings.js";
