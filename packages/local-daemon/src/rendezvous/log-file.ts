import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { PROCESS_LIMITS } from "../limits/index.js";
import { storageFailure } from "./private-file.js";

/** A log open for appending, and where it ended before. */
export interface OpenLog {
  readonly file: FileHandle;
  readonly offset: number;
}

/** Opens a log for appending, 0600 from birth, no symbolic link followed. */
export async function openLog(path: string): Promise<OpenLog> {
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  try {
    const file = await open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
    return { file, offset: (await file.stat()).size };
  } catch (cause) {
    throw storageFailure("open the log", path, cause);
  }
}

/** The last lines written after `offset`, at most about 4 KiB; empty when there are none. Never rejects. */
export async function readLogTail(path: string, offset: number): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const start = Math.max(Math.min(offset, size), size - PROCESS_LIMITS.logTailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString("utf8", 0, bytesRead).trim();
  } catch {
    return "";
  } finally {
    await file.close();
  }
}
