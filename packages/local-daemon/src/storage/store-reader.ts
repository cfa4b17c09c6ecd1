import { existsSync } from "node:fs";
import { SqliteStore } from "./sqlite-store.js";
import type { Store } from "./store.js";

/** The part of a store that can be read while no daemon runs. */
export type StoreReader = Pick<
  Store,
  "listSessions" | "readSession" | "readMessages" | "countMessages" | "pendingRequests" | "close"
>;

/** Opens a store only to read it; undefined where there is none. Throws `STORAGE_FAILED` for one that cannot be read. */
export function openStoreReader(path: string): StoreReader | undefined {
  if (!existsSync(path)) return undefined;
  const store = new SqliteStore({ path });
  store.openToRead();
  return store;
}
