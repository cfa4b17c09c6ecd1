export { type Console, createConsole } from "./console.js";
export type * from "./shown-fleet.js";
