import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { ProtocolError } from "@daemon-sdk/protocol";

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** How {@link openInside} opens a file. */
export interface OpenInsideOptions {
  /** Flags of `open(2)`; `O_NOFOLLOW` and `O_NONBLOCK` are added. Never pass `O_TRUNC`: it takes effect before the checks. */
  readonly flags: number;
  /** Makes the missing directories above the file. Default false. */
  readonly makeParents?: boolean;
}

/**
 * Opens a regular file below `root`. No symbolic link can lead outside, even one created during the call.
 *
 * On Linux each directory of the path is opened from the handle of its parent and not by its whole path, so that a directory
 * replaced by a link is not followed. Elsewhere the opened file is afterwards compared with the file at the path. A FIFO or a
 * device is refused without waiting. Rejects with the system's error, or with INVALID_PARAMS.
 */
export async function openInside(root: string, real: string, options: OpenInsideOptions): Promise<FileHandle> {
  const file =
    process.platform === "linux" ? await openByHandles(root, real, options) : await openAndCompare(real, options);
  try {
    if (!(await file.stat()).isFile()) throw refusal(real, "it is no regular file");
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openByHandles(root: string, real: string, options: OpenInsideOptions): Promise<FileHandle> {
  let directory = await open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    for (const name of relative(root, dirname(real)).split(sep).filter(Boolean)) {
      const below = await openDirectory(join(`/proc/self/fd/${directory.fd}`, name), options.makeParents === true);
      await directory.close();
      directory = below;
    }
    return await open(
      join(`/proc/self/fd/${directory.fd}`, basename(real)),
      options.flags | O_NOFOLLOW | O_NONBLOCK,
      0o666,
    );
  } catch (error) {
    throw isLink(error) ? refusal(real, "the path contains a symbolic link") : withPath(error, real);
  } finally {
    await directory.close();
  }
}

async function openDirectory(path: string, makes: boolean): Promise<FileHandle> {
  if (makes) {
    await mkdir(path).catch((error: unknown) => {
      if (!hasCode(error, "EEXIST")) throw error;
    });
  }
  return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

async function openAndCompare(real: string, options: OpenInsideOptions): Promise<FileHandle> {
  if (options.makeParents === true) await mkdir(dirname(real), { recursive: true });
  const file = await open(real, options.flags | O_NOFOLLOW | O_NONBLOCK, 0o666);
  const [opened, named, path] = await Promise.all([file.stat(), lstat(real), realpath(real)]);
  if (path === real && opened.ino === named.ino && opened.dev === named.dev) return file;
  await file.close();
  throw refusal(real, "the path contains a symbolic link");
}

/** The system's error with the file's own path, instead of the way over a handle on which it was opened. */
function withPath(error: unknown, real: string): unknown {
  if (!(error instanceof Error && "path" in error && typeof error.path === "string")) return error;
  error.message = error.message.replace(error.path, real);
  error.path = real;
  return error;
}

/** Whether `O_NOFOLLOW` met a link: ELOOP, or ENOTDIR if a directory was requested. */
function isLink(error: unknown): boolean {
  return hasCode(error, "ELOOP") || hasCode(error, "ENOTDIR");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function refusal(path: string, why: string): ProtocolError {
  return new ProtocolError(
    "INVALID_PARAMS",
    `Cannot use ${path}: ${why}. Name a regular file inside the session's directory.`,
  );
}
