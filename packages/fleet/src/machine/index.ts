export { joinFleet } from "./join-fleet.js";
export type * from "./membership.js";
