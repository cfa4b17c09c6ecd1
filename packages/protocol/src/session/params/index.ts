export type * from "./calls.js";
export * from "./capabilities.js";
export type * from "./extensions.js";
export type * from "./listings.js";
export type * from "./metrics.js";
export type * from "./scope.js";
export { SETTING_NAMES } from "./setting-names.js";
export type * from "./workspace.js";
