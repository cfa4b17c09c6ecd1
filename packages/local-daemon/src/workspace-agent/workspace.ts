import { constants } from "node:fs";
import { lstat, mkdir, open, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { ProtocolError } from "@daemon-sdk/protocol";

/** The session's directory, and the only place where tools may go. */
export class Workspace {
  /** Absolute, without symbolic links. */
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** Opens a directory; rejects with what the system says when there is none. */
  static async open(cwd: string): Promise<Workspace> {
    const root = await realpath(cwd);
    if (!(await lstat(root)).isDirectory()) throw outside(cwd, "it is not a directory");
    return new Workspace(root);
  }

  /**
   * The real path behind what a prompt names; it need not exist. Rejects when it lies outside, by `..`, by an absolute
   * path, or through a symbolic link anywhere on the way.
   */
  async resolve(path: string): Promise<string> {
    const real = await realPathOf(resolve(this.root, path));
    if (real === undefined) throw outside(path, "a symbolic link on the way leads nowhere");
    if (real !== this.root && !real.startsWith(this.root + sep)) throw outside(path, `it lies outside ${this.root}`);
    return real;
  }

  /** A path as people see it: relative to the root, `.` for the root itself. */
  show(real: string): string {
    return relative(this.root, real) || ".";
  }

  /** Replaces the content of a file, and makes the directories above it. `real` comes from {@link resolve}. */
  async write(real: string, content: string | Uint8Array): Promise<void> {
    await mkdir(dirname(real), { recursive: true });
    // Should a link have been put there since it was resolved, the open fails instead of following it.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const file = await open(real, flags, 0o666);
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
  }
}

/** Resolves links in the part of the path that exists; undefined for a link whose target does not. */
async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (await exists(path)) return undefined;
  const parent = await realPathOf(dirname(path));
  return parent === undefined ? undefined : join(parent, basename(path));
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Whether a file system call failed because there is nothing of that name. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function outside(path: string, why: string): ProtocolError {
  return new ProtocolError("INVALID_PARAMS", `Cannot use ${path}: ${why}. Name a path inside the session's directory.`);
}
