export type { WebhookCursor, WebhookCursors } from "./cursors.js";
export { fileCursors } from "./file-cursors.js";
export { type WebhookOptions, Webhooks } from "./webhooks.js";
