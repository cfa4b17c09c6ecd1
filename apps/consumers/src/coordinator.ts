/**
 * Several agents on one repository: `coordinator <repository> tasks.json`. Each has a worktree and a branch of its own; what they
 * made is merged into the branch that is checked out, one after another. Prints a report as JSON; exit code 1: something is left.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { connectDaemon, type DaemonConnection, DaemonError } from "@daemon-sdk/client";

/** One entry of the file. */
interface Task {
  readonly name: string;
  readonly prompt: string;
  /** Default: the daemon's choice. */
  readonly agent?: string;
}

/** What became of a task. A conflict is left on the task's branch, for a person. */
interface Report {
  readonly name: string;
  readonly branch: string;
  readonly outcome: "merged" | "nothing to merge" | "conflict" | "failed";
  /** The agent's answer, or why it failed. */
  readonly text: string;
  /** The files that conflict. */
  readonly files?: string[];
}

interface Done {
  readonly task: Task;
  readonly branch: string;
  readonly text: string;
  readonly hasFailed: boolean;
}

const run = promisify(execFile);
const repository = resolve(process.argv[2] ?? ".");
const tasks = JSON.parse(readFileSync(process.argv[3] ?? "tasks.json", "utf8")) as Task[];

async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await run("git", args, { cwd })).stdout.trim();
}

let lastChange: Promise<unknown> = Promise.resolve();

/** Changes the list of worktrees. One change at a time: Git reads every other worktree then, also one that is half made. */
function worktree(...args: string[]): Promise<unknown> {
  lastChange = lastChange.catch(() => {}).then(() => git(repository, "worktree", ...args));
  return lastChange;
}

// #region sample
/** Lets an agent work on a task, in a worktree that is removed afterwards. What it made is a commit on the task's branch. */
async function work(connection: DaemonConnection, task: Task, directory: string): Promise<Done> {
  const branch = `agent/${task.name}`;
  const cwd = join(directory, task.name);
  await worktree("add", "-b", branch, cwd);
  try {
    const { agent } = task;
    const { success, text, error } = await connection.run(task.prompt, {
      cwd,
      autonomyLevel: "medium",
      ...(agent && { agent }),
      onEvent: (event) => {
        if (event.type === "tool_call") console.error(`${task.name}: ${event.name}`);
      },
    });
    await git(cwd, "add", "--all");
    const hasChanges = (await git(cwd, "status", "--porcelain")) !== "";
    if (hasChanges) await git(cwd, "commit", "--quiet", "--no-verify", "-m", task.name);
    return { task, branch, text: success ? text : (error?.message ?? text), hasFailed: !success };
  } catch (error) {
    if (!DaemonError.is(error)) throw error;
    return { task, branch, text: error.message, hasFailed: true };
  } finally {
    await worktree("remove", "--force", cwd);
  }
}

/** Merges the branch of a task. A conflict changes nothing in the repository. */
async function merge({ task: { name }, branch, text, hasFailed }: Done): Promise<Report> {
  if (hasFailed) return { name, branch, outcome: "failed", text };
  const isEmpty = (await git(repository, "rev-list", "--count", `HEAD..${branch}`)) === "0";
  if (isEmpty) {
    await git(repository, "branch", "--delete", branch);
    return { name, branch, outcome: "nothing to merge", text };
  }
  try {
    await git(repository, "merge", "--quiet", "--no-ff", "-m", `Merge ${branch}`, branch);
  } catch (error) {
    const files = (await git(repository, "diff", "--name-only", "--diff-filter=U")).split("\n").filter(Boolean);
    if (files.length === 0) throw error;
    await git(repository, "merge", "--abort");
    return { name, branch, outcome: "conflict", text, files };
  }
  await git(repository, "branch", "--delete", branch);
  return { name, branch, outcome: "merged", text };
}
// #endregion sample

const directory = mkdtempSync(join(tmpdir(), "coordinator-"));
// Nobody is there to ask.
const connection = await connectDaemon({
  permissionHandler: () => "cancel",
  askUserHandler: () => ({ cancelled: true }),
});
try {
  const done = await Promise.all(tasks.map((task) => work(connection, task, directory)));
  const reports: Report[] = [];
  for (const one of done) reports.push(await merge(one));
  console.log(JSON.stringify(reports, undefined, 2));
  if (reports.some(({ outcome }) => outcome === "conflict" || outcome === "failed")) process.exitCode = 1;
} finally {
  await connection.close();
  rmSync(directory, { recursive: true, force: true });
}
