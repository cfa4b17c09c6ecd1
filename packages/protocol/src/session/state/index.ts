export * from "./activity.js";
export type { SessionRequest } from "./open-requests.js";
export * from "./session-state.js";
export { usageSince } from "./token-usage.js";
export type { PromptIds, TrackedTurn, TrackedTurnSnapshot } from "./tracked-turn.js";
export * from "./turn.machine.js";
