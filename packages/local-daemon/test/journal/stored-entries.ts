import type { SessionId } from "@daemon-sdk/protocol";
import type { Store } from "../../src/storage/store.js";

/** One entry of a journal, and its place. */
export interface StoredEntry {
  readonly epoch: number;
  readonly seq: number;
  readonly entry: string;
}

/** A whole journal, over all epochs. */
export async function storedEntries(store: Pick<Store, "readEntries">, id: SessionId): Promise<StoredEntry[]> {
  const all: StoredEntry[] = [];
  for (let from = 1; ; ) {
    const { epoch, firstSeq, entries } = await store.readEntries(id, from, Number.MAX_SAFE_INTEGER);
    if (entries.length === 0) return all;
    for (const [index, entry] of entries.entries()) all.push({ epoch, seq: firstSeq + index, entry });
    from = firstSeq + entries.length;
  }
}
