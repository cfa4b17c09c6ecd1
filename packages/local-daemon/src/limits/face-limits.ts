import { LIMITS } from "@daemon-sdk/protocol";

/** Bounds of the ACP face: what one editor may have open, and what one update holds. No option changes them. */
export const FACE_LIMITS = {
  /** Longest line of an editor: as long as a message of the session wire, because a prompt becomes one. */
  lineBytes: LIMITS.sessionFrameBytes,
  /** Calls of one editor that are not answered. A further one is refused. */
  editorCalls: 256,
  /** Sessions that one editor has open. A further one is refused. */
  sessions: 256,
  /** Entries of one page of `session/list`, and pages of the daemon that are read for one: others may all be of other directories. */
  listPage: LIMITS.sessionPageMax,
  listReads: 10,
  /** The end of a tool's progress that an update holds: each update repeats the whole. */
  progressChars: 64 * 1024,
  /** Longest title of a tool call that is made of its input. */
  titleChars: 200,
  /** How long prompts may run on for an editor that sends nothing more, but reads. Their turns go on without it. */
  lastPromptsMs: 2_000,
  /** Pauses before attempts to find the daemon again; the last one repeats. */
  relinkDelaysMs: [0, 50, 200, 1_000, 5_000],
} as const;
