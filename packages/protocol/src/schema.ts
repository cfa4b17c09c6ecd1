/**
 * Zod schemas of the session wire, for where trust begins: handshake, requests, results, configuration. The hot path uses
 * the hand-written guards of `@daemon-sdk/protocol`; a property test proves that both agree.
 */
export * from "./schema/envelopes.js";
export * from "./schema/extensions.js";
export * from "./schema/methods.js";
export * from "./schema/notifications.js";
export * from "./schema/params.js";
export * from "./schema/requests.js";
export * from "./schema/results.js";
export * from "./schema/values.js";
