export type { Authorize, HttpPrincipal } from "./access/index.js";
export type { DaemonSource, FleetAnswer, HttpDaemon, HttpFleet, HttpMachine } from "./daemon/index.js";
export { createHttpHandler, type HttpHandler, type HttpHandlerOptions } from "./handler/index.js";
export { openApiDocument } from "./openapi/index.js";
export type { Problem } from "./problem/index.js";
export { fileCursors, type WebhookCursor, type WebhookCursors, type WebhookOptions } from "./webhooks/index.js";
