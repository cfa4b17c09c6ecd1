export * from "./abortable.js";
export * from "./clock.js";
export * from "./ids.js";
export * from "./is-record.js";
export * from "./logger.js";
export * from "./time-limit.js";
export * from "./utf8-bytes.js";
export * from "./without-undefined.js";
