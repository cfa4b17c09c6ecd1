export { conversationChange, copyOf, messageText, titleFrom } from "./conversation.js";
export { forgottenNotice, undurableNotice } from "./notices.js";
export { agentSettings, pickSettings } from "./settings.js";
