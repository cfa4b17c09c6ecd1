export * from "./backoff.js";
export * from "./client-version.js";
export * from "./clock.js";
export * from "./event-queue.js";
export * from "./handlers.js";
export type * from "./json-schema.js";
export * from "./option-checks.js";
export * from "./require-offer.js";
export * from "./without-undefined.js";
