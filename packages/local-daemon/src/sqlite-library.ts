import { DatabaseSync } from "@photostructure/sqlite";

/** An open database of the native library. */
export type Database = InstanceType<typeof DatabaseSync>;

/** Opens a database file, or `:memory:`. The only place that imports the native library. */
export function openDatabase(
  path: string,
  options: { defensive?: boolean; timeout?: number; readOnly?: boolean } = {},
): Database {
  return new DatabaseSync(path, options);
}
