export { checkDatabase, copyDatabase } from "./copy-database.js";
export { MemoryStore } from "./memory-store.js";
export type { MailboxRow, MailboxState, RelayWrite, StoredSegment } from "./relay/index.js";
export { numberOf, SqliteDatabase, textOf } from "./sqlite-database.js";
export { SqliteStore, type SqliteStoreOptions } from "./sqlite-store.js";
export type * from "./store.js";
export { openStoreReader, type StoreReader } from "./store-reader.js";
export type { StoredBytes } from "./stored-bytes.js";
