export type { Entry, NoticeEntry, TextEntry, ThinkingEntry, ToolEntry, TurnEndEntry, UserEntry } from "./entry.js";
export { Transcript } from "./transcript.js";
