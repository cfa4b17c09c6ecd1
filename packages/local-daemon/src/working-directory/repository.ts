import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { WORKSPACE_LIMITS } from "../limits/index.js";
import { GitMissing, type GitOutput, runGit } from "./git.js";

/** Why there is nothing of git about a directory, in the words of the wire. */
export interface Unavailable {
  readonly reason: "missing_session_cwd" | "not_git_repository" | "git_not_available" | "unknown";
  readonly message: string;
}

/** A directory about which git is asked. */
export interface RepositoryOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** A directory of which nothing is shown, not even names: the daemon's own state. */
  readonly hidden: string | undefined;
  /** Whether files of that directory may be shown. */
  mayShow(directory: string): Promise<boolean>;
}

/** The hidden directory relative to the one that is asked about; undefined when it is elsewhere. */
export async function hiddenPath({
  cwd,
  hidden,
}: Pick<RepositoryOptions, "cwd" | "hidden">): Promise<string | undefined> {
  if (hidden === undefined) return undefined;
  const [from, to] = await Promise.all([cwd, hidden].map((path) => realpath(path).catch(() => path)));
  const path = relative(from ?? cwd, to ?? hidden);
  return path === "" || path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path) ? undefined : path;
}

/** The repository in which a directory is. Everything that is asked of it is about that directory and what is below. */
export class Repository {
  /** Limits what git shows to the directory. */
  readonly pathspec: readonly string[];
  readonly #options: RepositoryOptions;
  readonly #filters: readonly (readonly [string, string])[];

  /** Opens the repository, or says why there is none. */
  static async open(options: RepositoryOptions): Promise<Repository | Unavailable> {
    const { cwd } = options;
    const where = ["rev-parse", "--show-toplevel", "--absolute-git-dir", "--git-common-dir"];
    const found = await runGit(where, { ...options, maxBytes: WORKSPACE_LIMITS.listBytes });
    if (found instanceof GitMissing) {
      const isThere = await lstat(cwd).then(
        () => true,
        () => false,
      );
      return isThere
        ? { reason: "git_not_available", message: "git is not installed on the daemon's machine." }
        : { reason: "missing_session_cwd", message: `The session's directory is gone: ${cwd}.` };
    }
    const [, gitDir, commonDir] = found.text.split("\n");
    if (found.exitCode !== 0 || gitDir === undefined || commonDir === undefined) {
      return { reason: "not_git_repository", message: `${cwd} is in no git repository.` };
    }
    const common = isAbsolute(commonDir) ? commonDir : join(cwd, commonDir);
    for (const directory of new Set([gitDir, common])) {
      if ((await isOwn(directory, cwd)) || (await options.mayShow(directory))) continue;
      return { reason: "not_git_repository", message: `${cwd} is in no git repository that its session may read.` };
    }
    const hidden = await hiddenPath(options);
    const pathspec = ["--", ".", ...(hidden === undefined ? [] : [`:(exclude,literal)${hidden}`])];
    return new Repository(options, await filtersOf(options), pathspec);
  }

  private constructor(
    options: RepositoryOptions,
    filters: readonly (readonly [string, string])[],
    pathspec: readonly string[],
  ) {
    this.pathspec = pathspec;
    this.#options = options;
    this.#filters = filters;
  }

  /** Runs git. Nothing is written when it fails. */
  async run(args: readonly string[], maxBytes: number = WORKSPACE_LIMITS.listBytes): Promise<GitOutput> {
    const output = await runGit(args, { ...this.#options, config: this.#filters, maxBytes });
    return output instanceof GitMissing ? { exitCode: undefined, text: "", isCut: false } : output;
  }

  /** The first line of what git writes; undefined when it fails. */
  async line(...args: string[]): Promise<string | undefined> {
    const { exitCode, text } = await this.run(args);
    const [line = ""] = text.split("\n");
    return exitCode === 0 && line !== "" ? line : undefined;
  }
}

/** Whether it is the `.git` of the directory or of one above: a link or a file could name the repository of somebody else. */
async function isOwn(gitDir: string, cwd: string): Promise<boolean> {
  if (basename(gitDir) !== ".git") return false;
  const above = await realpath(dirname(gitDir)).catch(() => undefined);
  const own = await realpath(cwd).catch(() => undefined);
  if (above === undefined || own === undefined) return false;
  return own === above || own.startsWith(above === sep ? sep : above + sep);
}

/** Empty commands in place of every filter that the configuration names: git would run them to compare files. */
async function filtersOf(options: RepositoryOptions): Promise<(readonly [string, string])[]> {
  const args = ["config", "--includes", "--null", "--name-only", "--get-regexp", "^filter\\."];
  const listed = await runGit(args, { ...options, maxBytes: WORKSPACE_LIMITS.listBytes });
  if (listed instanceof GitMissing) return [];
  const names = new Set(listed.text.split("\0").flatMap((key) => /^filter\.([\s\S]+)\.[^.]+$/.exec(key)?.[1] ?? []));
  return [...names].flatMap((name) => [
    [`filter.${name}.clean`, ""] as const,
    [`filter.${name}.process`, ""] as const,
    [`filter.${name}.required`, "false"] as const,
  ]);
}
