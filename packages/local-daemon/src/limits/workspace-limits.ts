/** Bounds of what clients ask about a session's directory (docs/protocol.md, "Directory"). */
export const WORKSPACE_LIMITS = {
  /** Time of all programs and reads of one call: a large repository on a slow disk takes seconds. */
  callMs: 10_000,
  /** Files in one answer: more than a person picks from. */
  files: 10_000,
  /** Their paths, in bytes: what may wait for a reader besides. */
  filesBytes: 1024 * 1024,
  /** Directories that are read for one answer where git does not list the files. */
  directories: 20_000,
  /** Each of the two differences, in bytes. */
  diffBytes: 1024 * 1024,
  /** What git states beside them, in bytes: names, numbers, commits. */
  listBytes: 1024 * 1024,
  /** Commits in one answer. */
  commits: 200,
  /** Calls of one credential that wait for the one that runs. */
  waiting: 8,
} as const;
