export { AGENT_HANDLERS } from "./agent-calls.js";

export { CONFIGURATION_HANDLERS } from "./configuration.js";
export { CONSOLE_HANDLERS } from "./console.js";
export { type Call, type Handler, type OpenConsole, type Reload, WrittenResult } from "./handler.js";

export { LIFECYCLE_HANDLERS } from "./lifecycle.js";
export { LISTING_HANDLERS } from "./listings.js";
export { METRICS_HANDLERS } from "./metrics.js";
export { PING_HANDLERS } from "./ping.js";
export { RECEIPT_HANDLERS } from "./receipts.js";
export { REQUEST_HANDLERS } from "./requests.js";
export { SETTINGS_HANDLERS } from "./settings.js";
export { TICKET_HANDLERS } from "./tickets.js";
export { TURN_HANDLERS } from "./turns.js";
export { WORKSPACE_HANDLERS } from "./workspace.js";
