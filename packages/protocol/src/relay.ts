/**
 * `@daemon-sdk/protocol/relay`: the wire between agents and the daemon. Envelopes, framing and guards, without zod; the
 * schemas have a door of their own, `@daemon-sdk/protocol/relay/schema`. Runs in browsers.
 */
export * from "./relay/control-payloads.js";
export * from "./relay/envelope.js";
export * from "./relay/frame-parser.js";
export * from "./relay/frame-writer.js";
export * from "./relay/guards.js";
export * from "./relay/message-payloads.js";
export * from "./relay/message-types.js";
export * from "./relay/payloads.js";
export * from "./relay/query-payloads.js";
export * from "./relay/worker-payloads.js";
