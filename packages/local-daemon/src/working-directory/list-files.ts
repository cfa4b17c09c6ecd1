import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ListFilesResult } from "@daemon-sdk/protocol";
import { WORKSPACE_LIMITS } from "../limits/index.js";
import { hiddenPath, Repository, type RepositoryOptions } from "./repository.js";

/** Directories that nobody looks into, where no `.gitignore` says it. */
const SKIPPED: ReadonlySet<string> = new Set([".git", "node_modules"]);

/**
 * The files below a directory, sorted: in a git repository those that it does not ignore, else all that are found. Links are listed
 * and not followed. Bounded in files, bytes and time.
 */
export async function listFiles(options: RepositoryOptions, showHidden: boolean): Promise<ListFilesResult> {
  const repository = await Repository.open(options);
  const found = repository instanceof Repository ? await tracked(repository) : await walk(options);
  const shown = showHidden ? found.files : found.files.filter((path) => !isHidden(path));
  return fitting(shown.toSorted(), found.isCut || options.signal.aborted);
}

interface Found {
  readonly files: string[];
  readonly isCut: boolean;
}

async function tracked(repository: Repository): Promise<Found> {
  const args = [
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
    "--deduplicate",
    ...repository.pathspec,
  ];
  // More than an answer holds, because hidden ones are left out of it.
  const { text, isCut } = await repository.run(args, 8 * WORKSPACE_LIMITS.filesBytes);
  const paths = text.split("\0");
  // The last one is empty, or cut.
  return { files: paths.slice(0, -1), isCut };
}

/** Reads directory after directory, nearest first: each is read off the main thread. */
async function walk(options: RepositoryOptions): Promise<Found> {
  const { cwd, signal } = options;
  const hidden = await hiddenPath(options);
  const files: string[] = [];
  const waiting = [""];
  for (let read = 0; waiting.length > 0; read += 1) {
    if (signal.aborted || read >= WORKSPACE_LIMITS.directories || files.length > 8 * WORKSPACE_LIMITS.files) {
      return { files, isCut: true };
    }
    const directory = waiting.shift() ?? "";
    for (const entry of await entriesOf(join(cwd, directory))) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (!entry.isDirectory()) files.push(path);
      else if (!SKIPPED.has(entry.name) && path !== hidden) waiting.push(path);
    }
  }
  return { files, isCut: false };
}

/** A directory that cannot be read has no files that could be shown. */
function entriesOf(directory: string): Promise<Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch(() => []);
}

function isHidden(path: string): boolean {
  return path.startsWith(".") || path.includes("/.");
}

function fitting(files: readonly string[], isCut: boolean): ListFilesResult {
  let room: number = WORKSPACE_LIMITS.filesBytes;
  const listed = files.slice(0, WORKSPACE_LIMITS.files);
  const end = listed.findIndex((path) => {
    room -= Buffer.byteLength(JSON.stringify(path)) + 1;
    return room < 0;
  });
  const kept = end === -1 ? listed : listed.slice(0, end);
  return { files: kept, ...(isCut || kept.length < files.length ? { isIncomplete: true } : {}) };
}
