import { realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import { homeDirectory } from "../home-directory.js";
import { notAllowed } from "../refusals.js";

/** Where sessions may work. */
export interface DirectoryRules {
  /** The daemon's state directory, in which no session works: it holds credentials and everybody's conversations. */
  readonly stateDir: string | undefined;
  /** Directories of which the session's has to be one, or below one; undefined: any. */
  readonly roots: readonly string[] | undefined;
}

/**
 * The working directory of a session. A relative path is relative to the home directory, because clients cannot see the daemon's own.
 *
 * Rejects with -32602 when there is no such directory, or when it is inside the state directory; with `NOT_ALLOWED` when it is
 * not inside a root, whether it exists or not.
 */
export async function sessionDirectory(path: string, rules: DirectoryRules): Promise<string> {
  const cwd = absolute(path);
  if (await isDirectory(cwd)) {
    await checkDirectory(cwd, rules);
    return cwd;
  }
  if (rules.roots !== undefined) throw outsideRoots(cwd, rules.roots);
  throw badDirectory(`cwd must be a directory that exists; ${cwd} is none.`);
}

/**
 * Checks where a directory is; rejects as {@link sessionDirectory} does. One that does not exist passes: no agent starts in it.
 * Directories are compared by device and inode, so that neither a link nor another spelling of a path leads past the rules.
 */
export async function checkDirectory(cwd: string, { stateDir, roots }: DirectoryRules): Promise<void> {
  if (!(await isDirectory(cwd))) return;
  if (roots !== undefined && !(await isInsideAny(cwd, roots.map(rootOf)))) throw outsideRoots(cwd, roots);
  if (stateDir !== undefined && (await isInsideAny(cwd, [stateDir]))) {
    throw badDirectory(`cwd must not be inside the daemon's state directory; ${cwd} is.`);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** A configuration is written by hand, so a root may begin with `~/`. */
function rootOf(path: string): string {
  return absolute(path === "~" || path.startsWith("~/") ? `.${path.slice(1)}` : path);
}

function absolute(path: string): string {
  return resolve(homeDirectory() ?? "/", path);
}

/** Whether a directory that exists is one of `tops`, or below one, after links were followed. */
async function isInsideAny(path: string, tops: readonly string[]): Promise<boolean> {
  const found = await Promise.all(tops.map((top) => identityOf(top).catch(() => undefined)));
  const meant = new Set(found.filter((identity) => identity !== undefined));
  let at = await realpath(path);
  while (!meant.has(await identityOf(at))) {
    const above = dirname(at);
    if (above === at) return false;
    at = above;
  }
  return true;
}

async function identityOf(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}

function outsideRoots(cwd: string, roots: readonly string[]): ProtocolError {
  return notAllowed(`cwd must be a directory inside ${roots.join(" or ")}; ${cwd} is not.`);
}

function badDirectory(message: string): ProtocolError {
  return new ProtocolError("INVALID_PARAMS", message, { rpcCode: RpcCode.invalidParams });
}
