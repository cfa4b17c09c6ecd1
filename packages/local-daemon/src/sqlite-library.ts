import { createRequire } from "node:module";
import type { DatabaseSync } from "@photostructure/sqlite";

type Library = typeof import("@photostructure/sqlite");

/** An open database of the native library. */
export type Database = InstanceType<typeof DatabaseSync>;

let library: Library | undefined;

/**
 * Opens a database file, or `:memory:`. The native library is loaded with the first one: a daemon without a state directory, whose
 * store is in memory, does without it.
 */
export function openDatabase(path: string, options: { defensive?: boolean; timeout?: number } = {}): Database {
  library ??= createRequire(import.meta.url)("@photostructure/sqlite") as Library;
  return new library.DatabaseSync(path, options);
}
