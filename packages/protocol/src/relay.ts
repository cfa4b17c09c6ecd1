/**
 * `@daemon-sdk/protocol/relay`: the wire between agents and the daemon. Envelopes, framing and guards, without zod; the
 * schemas are a separate entry, `@daemon-sdk/protocol/relay/schema`. Runs in browsers.
 */
export * from "./relay/index.js";
