import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureLocalDaemon } from "@daemon-sdk/client/local";
import { processEnded } from "./processes.js";

/** Two temporary directories, which disposal removes. */
export interface Directories extends AsyncDisposable {
  /** The agent's working directory, with two small files. */
  readonly workspace: string;
  /** State directory of a daemon. */
  readonly stateDir: string;
}

/** Makes both directories. */
export function openDirectories(): Directories {
  const directory = mkdtempSync(join(tmpdir(), "daemon-sdk-"));
  return {
    workspace: makeWorkspace(join(directory, "work")),
    stateDir: join(directory, "state"),
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/**
 * Makes the surroundings of an example: a daemon process of its own and a directory to work in, both gone when disposed
 * of, so that it meddles with no daemon and no files of yours.
 *
 * A program of your own needs none of this: `connectDaemon()` finds your daemon, or starts it, and leaves it running.
 */
export async function openScratch(): Promise<Directories> {
  const directories = openDirectories();
  process.env.DAEMON_SDK_HOME = directories.stateDir;
  const { pid } = await ensureLocalDaemon();
  return {
    ...directories,
    async [Symbol.asyncDispose]() {
      if (pid !== undefined) await stopDaemon(pid);
      await directories[Symbol.asyncDispose]();
    },
  };
}

/** Stops the daemon and waits for the exit of its process. Its agents end before it. */
export async function stopDaemon(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  await processEnded(pid);
}

/** Makes a directory with files to list, read and search. */
export function makeWorkspace(directory: string): string {
  mkdirSync(join(directory, "src"), { recursive: true });
  writeFileSync(join(directory, "notes.md"), "# Notes\n\nThe answer is 42.\n");
  writeFileSync(join(directory, "src", "greet.ts"), "export const greeting = 'hello';\n");
  return directory;
}
