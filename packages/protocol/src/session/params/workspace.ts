import type { AutonomyLevel, AvailableModel, Open } from "../values.js";
import type { SessionScoped } from "./scope.js";

/** The files below a session's directory. */
export interface ListFilesParams extends SessionScoped {
  /** Whether files count whose name, or a directory of which, begins with a dot. Default false. */
  showHidden?: boolean;
}
/** Paths relative to the session's directory, with `/` between their parts, sorted. */
export interface ListFilesResult {
  files: string[];
  /** Ours: there are more files than the answer has. */
  isIncomplete?: boolean;
}

/** What was changed in a session's directory, by git. */
export interface GitDiffParams extends SessionScoped {
  /** Default: the default branch of `origin`, else `main` or `master`, else the current branch. */
  baseBranch?: string;
}
/** A changed file: its path relative to the session's directory. */
export interface GitDiffFile {
  path: string;
  /** Lines; 0 for a binary file. */
  additions: number;
  deletions: number;
  status: Open<"added" | "modified" | "deleted" | "renamed">;
}
/** Commits since the base branch, and what is not committed. */
export interface GitDiff {
  /** From the base to the last commit. */
  diff: string;
  /** `HEAD` when no branch is checked out. */
  branch: string;
  baseBranch: string;
  files: GitDiffFile[];
  totalAdditions: number;
  totalDeletions: number;
  remoteUrl: string | null;
  /** Newest first. */
  commits: { hash: string; message: string }[];
  /** From the last commit to the working tree. */
  unstagedDiff?: string;
  unstagedFiles?: GitDiffFile[];
  unstagedTotalAdditions?: number;
  unstagedTotalDeletions?: number;
  /** Ours: a diff or a list is cut at its bound. */
  isIncomplete?: boolean;
}
/** A diff, or why there is none. */
export type GitDiffResult =
  | { success: true; data: GitDiff }
  | {
      success: false;
      unavailableReason: Open<"missing_session_cwd" | "not_git_repository" | "git_not_available" | "unknown">;
      unavailableMessage: string;
    };

/** Settings of a new session that names none. */
export interface DefaultSettingsResult {
  autonomyLevel?: Open<AutonomyLevel>;
  /** The highest autonomy that the caller's sessions may have. */
  maxAutonomyLevel?: Open<AutonomyLevel>;
  /** Of the default agent; absent until it has started under this daemon. */
  availableModels?: AvailableModel[];
}

/** The models of an agent: of that name, else the default one. */
export interface ListModelsParams {
  agent?: string;
}
/** Empty until the agent has started under this daemon. */
export interface ListModelsResult {
  models: AvailableModel[];
}
