/**
 * `@daemon-sdk/protocol/relay`: the wire between agents and the daemon. Envelopes, framing and guards, without zod; the
 * schemas have a door of their own, `@daemon-sdk/protocol/relay/schema`. Runs in browsers.
 */
export * from "./relay/index.js";
