import { DaemonError, type GitDiff, type GitDiffFile, type GitDiffResult } from "@daemon-sdk/protocol";
import { WORKSPACE_LIMITS } from "../limits/index.js";
import { Repository, type RepositoryOptions } from "./repository.js";

/** The tree without files: what a branch without commits is compared with. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

const DIFF = ["diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--relative"] as const;
const DEFAULT_BASES = ["main", "master"];

/** What was changed in a directory: commits since the base branch, and what is not committed. Bounded in bytes and time. */
export async function gitDiff(options: RepositoryOptions, baseBranch?: string): Promise<GitDiffResult> {
  const repository = await Repository.open(options);
  if (!(repository instanceof Repository)) {
    return { success: false, unavailableReason: repository.reason, unavailableMessage: repository.message };
  }
  try {
    return await diffOf(repository, baseBranch);
  } catch (error) {
    const message = options.signal.aborted ? `git took longer than ${WORKSPACE_LIMITS.callMs} ms.` : messageOf(error);
    return { success: false, unavailableReason: "unknown", unavailableMessage: message };
  }
}

async function diffOf(repository: Repository, wanted: string | undefined): Promise<GitDiffResult> {
  const branch = (await repository.line("symbolic-ref", "--short", "-q", "HEAD")) ?? "HEAD";
  const head = await commitOf(repository, "HEAD");
  const base = await baseOf(repository, wanted, branch);
  if (base === undefined) {
    const unavailableMessage = `There is no branch ${JSON.stringify(wanted)}, neither here nor at origin.`;
    return { success: false, unavailableReason: "unknown", unavailableMessage };
  }
  const from = head === undefined ? undefined : await repository.line("merge-base", base.commit ?? head, head);
  const committed = await changes(repository, from === undefined || head === undefined ? undefined : [from, head]);
  const open = await changes(repository, [head ?? EMPTY_TREE]);
  const { commits, isCut } = await commitsOf(repository, from, head);
  const data: GitDiff = {
    ...{ diff: committed.diff, branch, baseBranch: base.name, files: committed.files },
    ...{ totalAdditions: sum(committed.files, "additions"), totalDeletions: sum(committed.files, "deletions") },
    remoteUrl: withoutCredential(await repository.line("config", "--get", "remote.origin.url")),
    commits,
    ...{ unstagedDiff: open.diff, unstagedFiles: open.files },
    unstagedTotalAdditions: sum(open.files, "additions"),
    unstagedTotalDeletions: sum(open.files, "deletions"),
    ...(committed.isCut || open.isCut || isCut ? { isIncomplete: true } : {}),
  };
  return { success: true, data };
}

interface Base {
  readonly name: string;
  /** Undefined for a branch without commits. */
  readonly commit: string | undefined;
}

/** The branch to compare with; undefined when the one that was asked for does not exist. */
async function baseOf(repository: Repository, wanted: string | undefined, branch: string): Promise<Base | undefined> {
  const remote = await repository.line("symbolic-ref", "--short", "-q", "refs/remotes/origin/HEAD");
  const usual = remote === undefined ? DEFAULT_BASES : [remote.replace(/^origin\//, ""), ...DEFAULT_BASES];
  for (const name of wanted === undefined ? usual : [wanted]) {
    const commit = (await commitOf(repository, name)) ?? (await commitOf(repository, `origin/${name}`));
    if (commit !== undefined) return { name, commit };
  }
  return wanted === undefined ? { name: branch, commit: await commitOf(repository, "HEAD") } : undefined;
}

function commitOf(repository: Repository, name: string): Promise<string | undefined> {
  return repository.line("rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`);
}

interface Changes {
  readonly diff: string;
  readonly files: GitDiffFile[];
  readonly isCut: boolean;
}

/** @param between the commit from which, and the one to which; without the second to the working tree */
async function changes(repository: Repository, between: readonly string[] | undefined): Promise<Changes> {
  if (between === undefined) return { diff: "", files: [], isCut: false };
  const run = async (form: readonly string[], maxBytes?: number) => {
    const output = await repository.run([...DIFF, ...form, ...between, ...repository.pathspec], maxBytes);
    if (output.exitCode !== 0 && !output.isCut) throw new DaemonError("INTERNAL", "git could not compare the files.");
    return output;
  };
  const statuses = await run(["--name-status", "-z"]);
  const numbers = await run(["--numstat", "-z"]);
  const diff = await run(["--patch"], WORKSPACE_LIMITS.diffBytes);
  const files = filesOf(statuses.text, numbers.text);
  return { diff: diff.text, files, isCut: statuses.isCut || numbers.isCut || diff.isCut };
}

const STATUSES: Readonly<Record<string, GitDiffFile["status"]>> = { A: "added", D: "deleted" };

/** @param statuses letter and path in turn; @param numbers lines added, lines deleted and path, each with tabs between */
function filesOf(statuses: string, numbers: string): GitDiffFile[] {
  const counts = new Map<string, readonly [number, number]>();
  for (const entry of numbers.split("\0")) {
    const [additions, deletions, ...path] = entry.split("\t");
    if (path.length > 0) counts.set(path.join("\t"), [Number(additions) || 0, Number(deletions) || 0]);
  }
  const fields = statuses.split("\0");
  const files: GitDiffFile[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [letter = "", path = ""] = [fields[at], fields[at + 1]];
    const [additions, deletions] = counts.get(path) ?? [0, 0];
    files.push({ path, additions, deletions, status: STATUSES[letter] ?? "modified" });
  }
  return files;
}

async function commitsOf(repository: Repository, from: string | undefined, head: string | undefined) {
  if (from === undefined || head === undefined || from === head) return { commits: [], isCut: false };
  const most = `--max-count=${WORKSPACE_LIMITS.commits + 1}`;
  const format = ["--no-show-signature", "--format=%H%x00%s%x00"];
  const { text, isCut } = await repository.run(["log", ...format, most, `${from}..${head}`, ...repository.pathspec]);
  const fields = text.split("\0");
  const commits: GitDiff["commits"] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    commits.push({ hash: (fields[at] ?? "").trim(), message: fields[at + 1] ?? "" });
  }
  return {
    commits: commits.slice(0, WORKSPACE_LIMITS.commits),
    isCut: isCut || commits.length > WORKSPACE_LIMITS.commits,
  };
}

function sum(files: readonly GitDiffFile[], field: "additions" | "deletions"): number {
  return files.reduce((total, file) => total + file[field], 0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** People keep passwords and tokens in the addresses of their remotes. */
function withoutCredential(url: string | undefined): string | null {
  return url === undefined ? null : url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1");
}
