import { isAscii } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { Script } from "node:vm";

/** Length of the digest at the beginning of a cache file. */
const DIGEST_BYTES = 20;

/** Age at which the cache of another program is removed: each version has one of a megabyte. */
const REMOVE_AFTER_MS = 30 * 24 * 3_600_000;

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
 * Compiles a program that is one CommonJS file, or takes its compiled form from a file of the cache directory. To compile a megabyte
 * of text is a third of the processor time of a start.
 *
 * The file is named by the text, Node and the processor, and counts only if no other user can have written it: what is in it is run.
 * V8 checks its own version and flags in addition, but not whether the compiled form is whole.
 */
export function compiledProgram(program: string, directory: string | undefined): CompiledProgram {
  const content = readFileSync(program);
  const key = createHash("sha1").update(`${process.version} ${process.arch}\n`).update(content).digest("hex");
  const cache = directory && join(directory, `${prefixOf(program)}${key}.cache`);
  const cachedData = cache && readCache(cache, key);
  const text = isAscii(content) ? content.toString("latin1") : content.toString("utf8");
  const script = new Script(WRAPPER.join(text), { filename: program, ...(cachedData && { cachedData }) });
  return {
    isFromCache: Boolean(cachedData) && script.cachedDataRejected === false,
    run() {
      const module = { exports: {} };
      const wrapped = script.runInThisContext() as Wrapped;
      wrapped.call(module.exports, module.exports, createRequire(program), module, program, dirname(program));
    },
    store() {
      if (!cache) return;
      const compiled = script.createCachedData();
      makeDirectory(dirname(cache));
      writeCache(cache, [digest(key, compiled), compiled]);
      removeOld(dirname(cache), prefixOf(program));
    },
  };
}

function prefixOf(program: string): string {
  return `${basename(program, ".cjs")}-`;
}

function digest(key: string, compiled: Buffer): Buffer {
  return createHash("sha1").update(key).update(compiled).digest();
}

/** Undefined for a file that is missing, damaged, of another text or Node, or that others could have written. */
function readCache(path: string, key: string): Buffer | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { mode, uid } = fstatSync(file);
      const isOurs = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
      if (!isOurs || (mode & constants.S_IFMT) !== constants.S_IFREG) return undefined;
      const content = readFileSync(file);
      const compiled = content.subarray(DIGEST_BYTES);
      return content.subarray(0, DIGEST_BYTES).equals(digest(key, compiled)) ? compiled : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** With one parent: Node's own `recursive` never returns on a file system that makes nothing, such as `/proc`. */
function makeDirectory(path: string): void {
  for (const directory of [dirname(path), path]) {
    quietly(() => mkdirSync(directory, { mode: 0o700 }));
  }
}

/** Whole at once: another start may read it meanwhile. */
function writeCache(path: string, parts: readonly Buffer[]): void {
  const temp = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    writeFileSync(temp, Buffer.concat(parts), { mode: 0o600, flag: "wx" });
    renameSync(temp, path);
  } catch {
    quietly(() => rmSync(temp, { force: true }));
  }
}

/** Removes what other versions of a program stored long ago, and what a process that was killed was writing. */
function removeOld(directory: string, prefix: string): void {
  quietly(() => {
    for (const name of readdirSync(directory)) {
      if (!name.startsWith(prefix)) continue;
      const path = join(directory, name);
      quietly(() => {
        if (Date.now() - statSync(path).mtimeMs > REMOVE_AFTER_MS) rmSync(path);
      });
    }
  });
}

/** The directory may be gone, or read-only, or none. */
function quietly(task: () => void): void {
  try {
    task();
  } catch {
    // The next start compiles again.
  }
}
