export type { Entry, ThinkingEntry, ToolEntry, TurnEndEntry, UserEntry } from "./entry.js";
export { Transcript } from "./transcript.js";
