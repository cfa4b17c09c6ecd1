/**
 * Zod schemas of the session wire, for where trust begins: handshake, requests, results, configuration. The hot path uses
 * the hand-written guards of `@daemon-sdk/protocol`; a property test proves that both agree.
 */
export * from "./schema/index.js";
