import { MAILBOX_LIMITS } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";

/** An entry as the store has it. */
export interface StoredEntry {
  readonly position: number;
  readonly text: string;
}

/** Reads the next entries of a mailbox from `position` on; empty when none is stored there. Rejects when the store fails. */
export async function readEntries(
  store: Pick<Store, "readMailbox">,
  address: string,
  position: number,
): Promise<StoredEntry[]> {
  const segments = await store.readMailbox(address, position, MAILBOX_LIMITS.readPageBytes);
  return segments
    .flatMap(({ firstPosition, entries }) => entries.map((text, index) => ({ position: firstPosition + index, text })))
    .filter((entry) => entry.position >= position);
}
