/**
 * Zod schemas of the session wire for untrusted input: handshake, requests, results, configuration. The hot path uses the
 * hand-written guards of `@daemon-sdk/protocol`. A property test proves that both agree.
 */
export * from "./schema/index.js";
