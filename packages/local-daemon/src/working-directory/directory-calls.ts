import type { GitDiffResult, ListFilesResult } from "@daemon-sdk/protocol";
import { PrincipalTurns } from "../access/index.js";
import { WORKSPACE_LIMITS } from "../limits/index.js";
import { tooManyDirectoryCalls } from "../refusals.js";
import { gitDiff } from "./git-diff.js";
import { listFiles } from "./list-files.js";
import type { RepositoryOptions } from "./repository.js";

/** The directory of a session, and what of it may be shown. */
export interface SessionDirectory extends Omit<RepositoryOptions, "signal"> {
  /** Id of the caller's key; undefined for the person. */
  readonly keyId: string | undefined;
}

/** Answers what clients ask about the directories of sessions: one call of a principal at a time, each within a time. */
export class DirectoryCalls {
  readonly #turns = new PrincipalTurns({ waiting: WORKSPACE_LIMITS.waiting, refusal: tooManyDirectoryCalls });

  /** Rejects with `QUEUE_FULL` when too many calls of the principal wait. */
  listFiles(directory: SessionDirectory, showHidden: boolean): Promise<ListFilesResult> {
    return this.#turns.take(directory.keyId, () => listFiles(inTime(directory), showHidden));
  }

  /** Rejects with `QUEUE_FULL` when too many calls of the principal wait. */
  gitDiff(directory: SessionDirectory, baseBranch?: string): Promise<GitDiffResult> {
    return this.#turns.take(directory.keyId, () => gitDiff(inTime(directory), baseBranch));
  }
}

function inTime(directory: SessionDirectory): RepositoryOptions {
  return { ...directory, signal: AbortSignal.timeout(WORKSPACE_LIMITS.callMs) };
}
