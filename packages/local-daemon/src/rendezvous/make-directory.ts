import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { fileErrorCode } from "./private-file.js";

/**
 * Makes a directory that only this user can enter, and its missing parents, too. Does nothing where there is one.
 *
 * Node's own `recursive` never returns where a file system has the parent and makes nothing in it, such as `/proc`.
 *
 * Rejects with the error of the system.
 */
export async function makeDirectory(path: string): Promise<void> {
  if (await isMade(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeDirectory(parent);
  await mkdir(path, { mode: 0o700 }).catch(unlessThere);
}

/** False where a parent is missing. */
async function isMade(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (fileErrorCode(error) === "ENOENT") return false;
    unlessThere(error);
    return true;
  }
}

function unlessThere(error: unknown): void {
  const code = fileErrorCode(error);
  // EISDIR: the root, on some systems.
  if (code !== "EEXIST" && code !== "EISDIR") throw error;
}
