import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist");

/** What a program did, and what it left. */
export interface ExampleRun {
  readonly exitCode: number | null;
  readonly output: string;
  readonly lines: readonly string[];
  /** Names in its temporary directory after it ended. */
  readonly leftFiles: readonly string[];
  /** Pids of processes it started, or that those started, which are still there. Empty where there is no /proc. */
  readonly leftProcesses: readonly number[];
  /** The temporary directory it had to itself; remove it with {@link removeRun}. */
  readonly directory: string;
}

/** Runs a built example as a person would, with a temporary directory of its own. */
export async function runExample(name: string, ...args: string[]): Promise<ExampleRun> {
  const directory = mkdtempSync(join(tmpdir(), "ex-"));
  const child = spawn(process.execPath, [join(DIST, `${name}.js`), ...args], {
    cwd: directory,
    env: { ...process.env, TMPDIR: directory, DAEMON_SDK_HOME: "", XDG_RUNTIME_DIR: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    exitCode,
    output,
    lines: output.trimEnd().split("\n"),
    leftFiles: readdirSync(directory),
    leftProcesses: processesOf(directory),
    directory,
  };
}

/** Removes what a run left on disk. */
export function removeRun(run: ExampleRun): void {
  rmSync(run.directory, { recursive: true, force: true });
}

/** Processes whose environment or working directory leads into that directory: the daemon and its agents. */
export function processesOf(directory: string): number[] {
  try {
    return readdirSync("/proc").filter(isPid).map(Number).filter(mentions);
  } catch {
    return [];
  }

  function mentions(pid: number): boolean {
    if (pid === process.pid) return false;
    try {
      return ["environ", "cmdline"].some((file) => readFileSync(`/proc/${pid}/${file}`, "latin1").includes(directory));
    } catch {
      return false;
    }
  }
}

function isPid(name: string): boolean {
  return /^\d+$/.test(name);
}
