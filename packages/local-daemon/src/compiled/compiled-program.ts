import { createHash, randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { Script } from "node:vm";

/** Name of the cache in the state directory. */
export const PROGRAM_CACHE = "daemon-program.cache";

/** Length of the digest at the beginning of a cache file. */
const DIGEST_BYTES = 20;

/** What a CommonJS module is wrapped in: the parameters of {@link Wrapped}. */
const WRAPPER = ["(function (exports, require, module, __filename, __dirname) { ", "\n});"] as const;
type Wrapped = (exports: object, require: NodeJS.Require, module: object, filename: string, directory: string) => void;

/** A program that was compiled, and has not run yet. */
export interface CompiledProgram {
  /** Whether the compiled form came from the cache. */
  readonly isFromCache: boolean;
  /** Runs the program in this process. Call it once. */
  run(): void;
  /** Stores the compiled form, with all functions that have run so far. Fails in silence: the cache is a matter of speed only. */
  store(): void;
}

/**
 * Compiles a program that is one CommonJS file, or takes its compiled form from a cache file. To compile a megabyte of text is a third
 * of the processor time of a start.
 *
 * The cache counts only for the same text, the same Node and the same processor, and only if no other user can have written it: what is in
 * it is run. V8 checks its own version and flags in addition, but not whether the compiled form is whole.
 */
export function compiledProgram(program: string, cache: string | undefined): CompiledProgram {
  const text = readFileSync(program, "utf8");
  const digest = (compiled: Buffer) =>
    createHash("sha1").update(`${process.version} ${process.arch}\n`).update(text).update(compiled).digest();
  const cachedData = cache === undefined ? undefined : readCache(cache, digest);
  const script = new Script(WRAPPER.join(text), { filename: program, ...(cachedData && { cachedData }) });
  return {
    isFromCache: cachedData !== undefined && script.cachedDataRejected === false,
    run() {
      const module = { exports: {} };
      const wrapped = script.runInThisContext() as Wrapped;
      wrapped.call(module.exports, module.exports, createRequire(program), module, program, dirname(program));
    },
    store() {
      if (cache === undefined) return;
      const compiled = script.createCachedData();
      writeCache(cache, [digest(compiled), compiled]);
    },
  };
}

/** Undefined for a file that is missing, damaged, of another text or Node, or that others could have written. */
function readCache(path: string, digest: (compiled: Buffer) => Buffer): Buffer | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { mode, uid } = fstatSync(file);
      const isOurs = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
      if (!isOurs || (mode & constants.S_IFMT) !== constants.S_IFREG) return undefined;
      const content = readFileSync(file);
      const compiled = content.subarray(DIGEST_BYTES);
      return content.subarray(0, DIGEST_BYTES).equals(digest(compiled)) ? compiled : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** Whole at once: another start may read it meanwhile. */
function writeCache(path: string, parts: readonly Buffer[]): void {
  const temp = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    writeFileSync(temp, Buffer.concat(parts), { mode: 0o600, flag: "wx" });
    renameSync(temp, path);
  } catch {
    removeQuietly(temp);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The directory is gone, or is none.
  }
}
