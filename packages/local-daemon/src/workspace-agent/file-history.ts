import { createHash } from "node:crypto";
import { lstat, unlink } from "node:fs/promises";
import { type ExecuteRewindParams, isRecord, type RewindInfoResult } from "@daemon-sdk/protocol";
import { isMissing, type Workspace } from "../workspace/index.js";

/** Largest recorded file, and the bound of all recorded files. A rewind lists the files that it cannot restore. */
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_TOTAL_BYTES = 8 * 1024 * 1024;

/** A file's state before a message's turn changed it. */
type Snapshot =
  | { readonly kind: "content"; readonly base64: string; readonly size: number; readonly contentHash: string }
  | { readonly kind: "absent" }
  | { readonly kind: "evicted"; readonly reason: string };

/** Result of a rewind. */
export interface RewindCounts {
  restoredCount: number;
  deletedCount: number;
  failedRestoreCount: number;
  failedDeleteCount: number;
}

/** Earlier states of files that turns changed, by user message, for `get_rewind_info` and `execute_rewind`. */
export class FileHistory {
  readonly #turns = new Map<string, Map<string, Snapshot>>();
  #totalBytes = 0;
  #hasChanged = false;

  /** Restores a history from {@link toJSON}; an empty one from any other value. */
  static from(value: unknown): FileHistory {
    const history = new FileHistory();
    for (const [messageId, files] of Array.isArray(value) ? value : []) {
      if (typeof messageId !== "string" || !Array.isArray(files)) continue;
      for (const [path, snapshot] of files)
        if (isRecord(snapshot)) history.#keep(messageId, path, snapshot as Snapshot);
    }
    return history;
  }

  toJSON(): unknown {
    return [...this.#turns].map(([messageId, files]) => [messageId, [...files]]);
  }

  /** Whether a file was recorded since the last call. */
  takeChanged(): boolean {
    const changed = this.#hasChanged;
    this.#hasChanged = false;
    return changed;
  }

  /** Records the present state of a file, once per turn. Call it before the file is changed. */
  async remember(messageId: string, real: string, workspace: Workspace): Promise<void> {
    if (this.#turns.get(messageId)?.has(real) === true) return;
    this.#keep(messageId, real, await snapshotOf(workspace, real, MAX_TOTAL_BYTES - this.#totalBytes));
    this.#hasChanged = true;
  }

  /** The changes that a rewind to before the first of these messages can undo. */
  infoSince(messageIds: readonly string[]): RewindInfoResult {
    const info: RewindInfoResult = { availableFiles: [], createdFiles: [], evictedFiles: [] };
    for (const [filePath, snapshot] of this.#before(messageIds)) {
      if (snapshot.kind === "absent") info.createdFiles.push({ filePath });
      else if (snapshot.kind === "evicted") info.evictedFiles.push({ filePath, reason: snapshot.reason });
      else info.availableFiles.push({ filePath, contentHash: snapshot.contentHash, size: snapshot.size });
    }
    return info;
  }

  /** Restores changed files and deletes created ones. Requested files that {@link infoSince} does not list are ignored. */
  async rewind(
    messageIds: readonly string[],
    wanted: ExecuteRewindParams,
    workspace: Workspace,
  ): Promise<RewindCounts> {
    const before = this.#before(messageIds);
    const counts = { restoredCount: 0, deletedCount: 0, failedRestoreCount: 0, failedDeleteCount: 0 };
    for (const { filePath, contentHash } of wanted.filesToRestore) {
      const snapshot = before.get(filePath);
      const isKnown = snapshot?.kind === "content" && snapshot.contentHash === contentHash;
      const done = isKnown && (await restore(workspace, filePath, snapshot.base64));
      counts[done ? "restoredCount" : "failedRestoreCount"]++;
    }
    for (const { filePath } of wanted.filesToDelete) {
      const done = before.get(filePath)?.kind === "absent" && (await remove(workspace, filePath));
      counts[done ? "deletedCount" : "failedDeleteCount"]++;
    }
    return counts;
  }

  /** The state of each changed file before the first turn that changed it. */
  #before(messageIds: readonly string[]): Map<string, Snapshot> {
    const files = new Map<string, Snapshot>();
    for (const id of messageIds) {
      for (const [path, snapshot] of this.#turns.get(id) ?? []) if (!files.has(path)) files.set(path, snapshot);
    }
    return files;
  }

  #keep(messageId: string, path: string, snapshot: Snapshot): void {
    const files = this.#turns.get(messageId) ?? new Map<string, Snapshot>();
    files.set(path, snapshot);
    this.#turns.set(messageId, files);
    if (snapshot.kind === "content") this.#totalBytes += snapshot.size;
  }
}

async function snapshotOf(workspace: Workspace, real: string, roomBytes: number): Promise<Snapshot> {
  try {
    const { size } = await lstat(real);
    if (size > MAX_FILE_BYTES) return { kind: "evicted", reason: `larger than ${MAX_FILE_BYTES} bytes` };
    if (size > roomBytes) return { kind: "evicted", reason: `the session's ${MAX_TOTAL_BYTES} bytes are used up` };
    const content = await workspace.read(real, MAX_FILE_BYTES);
    const contentHash = createHash("sha256").update(content).digest("hex");
    return { kind: "content", base64: content.toString("base64"), size: content.length, contentHash };
  } catch (error) {
    if (isMissing(error)) return { kind: "absent" };
    throw error;
  }
}

async function restore(workspace: Workspace, path: string, base64: string): Promise<boolean> {
  try {
    // Resolved again, because a directory on the path may have been replaced by a link.
    await workspace.write(await workspace.resolve(path), Buffer.from(base64, "base64"));
    return true;
  } catch {
    return false;
  }
}

async function remove(workspace: Workspace, path: string): Promise<boolean> {
  try {
    await unlink(await workspace.resolve(path));
    return true;
  } catch {
    return false;
  }
}
