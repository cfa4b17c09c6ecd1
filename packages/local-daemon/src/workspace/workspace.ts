import { constants } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { ProtocolError } from "@daemon-sdk/protocol";
import { openInside } from "./open-inside.js";

/** The session's directory, to which the file tools are restricted. */
export class Workspace {
  /** Absolute, without symbolic links. */
  readonly root: string;

  /** Real path of a directory that the tools do not enter. */
  readonly #closed: string | undefined;

  private constructor(root: string, closed: string | undefined) {
    this.root = root;
    this.#closed = closed;
  }

  /**
   * Opens a directory; rejects with INVALID_PARAMS, or with the system's error.
   *
   * @param closed a directory that the tools do not enter, below the other one or not
   */
  static async open(cwd: string, closed?: string): Promise<Workspace> {
    const root = await realpath(cwd);
    if (!(await lstat(root)).isDirectory()) throw outside(cwd, "it is not a directory");
    return new Workspace(root, closed === undefined ? undefined : await realpath(closed).catch(() => undefined));
  }

  /** Whether a real path is, or lies in, the directory that the tools do not enter. */
  isClosed(real: string): boolean {
    return this.#closed !== undefined && isAtOrBelow(real, this.#closed);
  }

  /**
   * Resolves a path of a prompt to its real path, which need not exist. Rejects when the real path is outside the root: by
   * `..`, as an absolute path, or through a symbolic link; also when it is in the closed directory.
   */
  async resolve(path: string): Promise<string> {
    const real = await realPathOf(resolve(this.root, path));
    if (real === undefined) throw outside(path, "a symbolic link in the path has no target");
    if (!isAtOrBelow(real, this.root)) throw outside(path, `it lies outside ${this.root}`);
    if (this.isClosed(real)) throw outside(path, "it lies in the state directory of the daemon");
    return real;
  }

  /** A path in the form for people: relative to the root, `.` for the root itself. */
  show(real: string): string {
    return relative(this.root, real) || ".";
  }

  /**
   * The bytes of a file. Rejects with INVALID_PARAMS if it has more than `maxBytes` or is no regular file, and with ENOENT if
   * it does not exist. `real` is a result of {@link resolve}.
   */
  async read(real: string, maxBytes: number): Promise<Buffer> {
    const file = await openInside(this.root, real, { flags: constants.O_RDONLY });
    try {
      const { size } = await file.stat();
      if (size > maxBytes) throw tooLarge(this.show(real), size, maxBytes);
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  /** Replaces the content of a file, and creates missing parent directories. `real` is a result of {@link resolve}. */
  async write(real: string, content: string | Uint8Array): Promise<void> {
    const flags = constants.O_WRONLY | constants.O_CREAT;
    const file = await openInside(this.root, real, { flags, makeParents: true });
    try {
      await file.truncate(0);
      await file.writeFile(content);
    } finally {
      await file.close();
    }
  }

  /**
   * Replaces the content of a file that still has the content `before`, or, with undefined, still does not exist. Otherwise
   * rejects with INVALID_PARAMS and changes nothing.
   */
  async replace(real: string, before: Uint8Array | undefined, content: Uint8Array): Promise<void> {
    const { O_RDWR, O_WRONLY, O_CREAT, O_EXCL } = constants;
    const flags = before === undefined ? O_WRONLY | O_CREAT | O_EXCL : O_RDWR;
    const file = await openInside(this.root, real, { flags, makeParents: before === undefined }).catch(
      (error: unknown) => {
        throw isMissing(error) || isThere(error) ? this.#changed(real) : error;
      },
    );
    try {
      if (before !== undefined) {
        const now = await file.readFile();
        if (!now.equals(before)) throw this.#changed(real);
        await file.truncate(0);
      }
      await file.write(content, 0, content.byteLength, 0);
    } finally {
      await file.close();
    }
  }

  #changed(real: string): ProtocolError {
    const message = `${this.show(real)} was changed by somebody else meanwhile, so nothing was written. Read it again.`;
    return new ProtocolError("INVALID_PARAMS", message);
  }
}

function isAtOrBelow(real: string, top: string): boolean {
  return real === top || real.startsWith(top.endsWith(sep) ? top : top + sep);
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

/** Whether a file system call failed because the file does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function outside(path: string, why: string): ProtocolError {
  return new ProtocolError("INVALID_PARAMS", `Cannot use ${path}: ${why}. Name a path inside the session's directory.`);
}

function isThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

function tooLarge(path: string, size: number, maxBytes: number): ProtocolError {
  return new ProtocolError("INVALID_PARAMS", `${path} has ${size} bytes; the limit is ${maxBytes}.`);
}
