import { type Position, ProtocolError, RpcCode, type SessionId } from "@daemon-sdk/protocol";
import type { EntryRun, Store } from "../storage/index.js";

/**
 * Rejects with `RESUME_TOO_OLD` when a client cannot go on after that position: the journal does not have it, or no longer
 * what came after it (docs/protocol.md §9).
 *
 * A snapshot's position is good, too: after a restart of the daemon it names the new epoch and an entry of the old one.
 */
export async function checkPosition(
  store: Store,
  sessionId: SessionId,
  after: Position,
  committedSeq: number,
): Promise<void> {
  if (after.seq > committedSeq || after.seq < 0) throw await tooOld(store, sessionId, after);
  const [at, next] = await Promise.all([
    store.readEntries(sessionId, after.seq, 1),
    store.readEntries(sessionId, after.seq + 1, 1),
  ]);
  const [epoch, nextEpoch] = [epochAt(at, after.seq), epochAt(next, after.seq + 1)];
  const isThere = after.seq === 0 || (epoch !== undefined && epoch <= after.epoch);
  const goesOn =
    after.seq === committedSeq || (nextEpoch !== undefined && (after.seq === 0 || nextEpoch >= after.epoch));
  if (!isThere || !goesOn) throw await tooOld(store, sessionId, after);
}

/** Epoch of the entry at that place; undefined when the store does not have it. */
function epochAt({ firstSeq, epoch, entries }: EntryRun, seq: number): number | undefined {
  return entries.length === 0 || firstSeq !== seq ? undefined : epoch;
}

async function tooOld(store: Store, sessionId: SessionId, { epoch, seq }: Position): Promise<ProtocolError> {
  const { firstSeq, lastSeq } = await store.journalBounds(sessionId);
  const text = `The journal cannot be read on from {epoch ${epoch}, seq ${seq}}: it holds ${firstSeq} to ${lastSeq}. Load the session.`;
  return new ProtocolError("RESUME_TOO_OLD", text, { rpcCode: RpcCode.internalError, data: { firstSeq, lastSeq } });
}
