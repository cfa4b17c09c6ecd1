export { Retention } from "./retention.js";
export { checkRetention, LEAST_RETENTION, type RetentionOptions } from "./retention-options.js";
