import { spawn } from "node:child_process";
import { once } from "node:events";

/** What one run of git wrote. */
export interface GitOutput {
  /** Undefined when a signal ended it: the time was over, or the output was cut. */
  readonly exitCode: number | undefined;
  readonly text: string;
  /** The output had more bytes than were asked for. */
  readonly isCut: boolean;
}

/** Options of one run of git. */
export interface GitRun {
  readonly cwd: string;
  readonly maxBytes: number;
  /** Ends the run. */
  readonly signal: AbortSignal;
  /** Configuration that overrides the repository's. */
  readonly config?: readonly (readonly [key: string, value: string])[];
}

/** git is not installed. */
export class GitMissing {}

/** Variables that would lead git to another repository, or to other programs. */
const STRIPPED = /^GIT_/;

/**
 * What a repository's own configuration could start: its files belong to whoever works there, which may be the agent of a key that
 * may start nothing. Filters are named by the repository and are overridden by `Repository`.
 */
const SAFE_CONFIG = [
  ["core.fsmonitor", "false"],
  ["core.hooksPath", "/dev/null"],
  ["core.pager", "cat"],
  ["core.quotePath", "false"],
  ["log.showSignature", "false"],
  ["diff.ignoreSubmodules", "all"],
] as const;

/**
 * Runs git as a process of its own. It asks nobody, takes no lock, fetches nothing, and starts no program that the repository
 * names. Resolves with `GitMissing` when there is no git.
 */
export async function runGit(args: readonly string[], options: GitRun): Promise<GitOutput | GitMissing> {
  const { cwd, maxBytes, signal, config = [] } = options;
  const env = environment([...SAFE_CONFIG, ...config]);
  const child = spawn("git", args, { cwd, env, stdio: ["ignore", "pipe", "ignore"], signal, killSignal: "SIGKILL" });
  const ended = once(child, "close").catch((error: unknown) => error);
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) child.kill("SIGKILL");
  });
  const failure = await ended;
  if (Reflect.get(Object(failure), "code") === "ENOENT") return new GitMissing();
  const text = new TextDecoder().decode(Buffer.concat(chunks).subarray(0, maxBytes));
  return { exitCode: child.exitCode ?? undefined, text, isCut: bytes > maxBytes };
}

function environment(config: readonly (readonly [string, string])[]): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !STRIPPED.test(name));
  const pairs = config.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return {
    ...Object.fromEntries([...inherited, ...pairs]),
    GIT_CONFIG_COUNT: String(config.length),
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    // A clone that lacks objects would fetch them, with the program that the repository names for that.
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: "none",
    LC_ALL: "C",
  };
}
