import { createHash } from "node:crypto";
import type { ReplicaEntries, ReplicaSession, ReplicaSource } from "@daemon-sdk/protocol";
import { FLEET_LIMITS } from "../limits/index.js";
import { randomToken, sessionToken } from "../names/index.js";
import type { BaseHead, RowHead } from "../replica-wire/index.js";
import { LinePieces, packEntries } from "./pack.js";
import type { SessionPlace } from "./replica-place.js";
import { ReplicaConflict, type ReplicaStream } from "./replica-stream.js";

/** What a copier works with. */
export interface SessionCopierOptions {
  readonly source: ReplicaSource;
  readonly stream: ReplicaStream;
  /** Where the replica stands, by the token of each session. */
  readonly places: Map<string, SessionPlace>;
  /** Age at which the server removes messages. */
  readonly maxAgeMs: number;
  /** Entries were acknowledged. */
  readonly onSent: (sessionId: string, entries: number, bytes: number) => void;
  /** Ends a copy between two messages. */
  readonly signal: AbortSignal;
}

/**
 * Brings sessions in the stream to where they are in the store. One message of a session is on its way at a time, and names the one that
 * it follows: so none is missing, also when the stream has lost its end.
 */
export class SessionCopier {
  readonly #options: SessionCopierOptions;

  constructor(options: SessionCopierOptions) {
    this.#options = options;
  }

  /** Sends what the replica does not have of a session. Rejects when the stream does not keep it, or the store cannot be read. */
  async copy(sessionId: string): Promise<void> {
    try {
      await this.#copy(sessionId);
    } catch (error) {
      if (!(error instanceof ReplicaConflict)) throw error;
      // An acknowledgement was lost, or the stream has lost its end: what it has counts.
      await this.#lookUp(sessionId);
      await this.#copy(sessionId);
    }
  }

  /** Whether the replica has what the store has; without it the session is to be copied. Looks at no message but by its head. */
  async isCurrent(session: ReplicaSession): Promise<boolean> {
    const { places } = this.#options;
    await this.#compare(session);
    const place = places.get(sessionToken(session.row.sessionId));
    if (place === undefined) return false;
    return place.seq >= session.lastSeq && place.rowDigest === digestOf(JSON.stringify(session.row));
  }

  /** Forgets where the replica stands when that is in another history: of a store that was lost, or restored from a backup. */
  async #compare(session: ReplicaSession): Promise<void> {
    const { places } = this.#options;
    const token = sessionToken(session.row.sessionId);
    const place = places.get(token);
    if (place === undefined || place.isCompared) return;
    if (await this.#isSameHistory(session, place)) places.set(token, { ...place, isCompared: true });
    else places.delete(token);
  }

  async #isSameHistory({ row, lastSeq }: ReplicaSession, { seq, digest }: SessionPlace): Promise<boolean> {
    if (seq > lastSeq) return false;
    if (digest === "") return true;
    const run = await this.#options.source.entries(row.sessionId, seq, { entries: 1, bytes: 1 });
    const [entry] = run.entries;
    // What was pruned meanwhile cannot be compared; the copy begins anew behind it.
    return entry === undefined || run.firstSeq !== seq || entryDigest(run, entry) === digest;
  }

  async #lookUp(sessionId: string): Promise<void> {
    const { stream, places } = this.#options;
    const token = sessionToken(sessionId);
    const place = (await stream.places(token)).get(token);
    if (place === undefined) places.delete(token);
    else places.set(token, place);
  }

  async #copy(sessionId: string): Promise<void> {
    const { source, places, maxAgeMs } = this.#options;
    const token = sessionToken(sessionId);
    const session = await source.session(sessionId);
    // Deleted: it is erased by itself.
    if (session === undefined) return;
    await this.#compare(session);
    const known = places.get(token);
    // Half of its age: what the copy began with is still there while the next one is made.
    const isOld = known !== undefined && Date.now() - known.begunAt > maxAgeMs / 2;
    const isBehindPruned = known !== undefined && session.firstSeq > known.seq + 1 && session.lastSeq > known.seq;
    const isOther = known !== undefined && known.seq > session.lastSeq;
    let place = known;
    if (place === undefined || isOld || isBehindPruned || isOther) place = await this.#begin(session, known);
    await this.#copyEntries(sessionId, place);
    await this.#copyRow(sessionId);
  }

  /** Begins a copy with the conversation as it is. What was published before is removed when all of that is there. */
  async #begin(session: ReplicaSession, known: SessionPlace | undefined): Promise<SessionPlace> {
    const { source, stream, places, signal } = this.#options;
    const { sessionId } = session.row;
    const token = sessionToken(sessionId);
    const { firstSeq, lastSeq, epoch } = session;
    const generation = randomToken();
    const head = { generation, at: Date.now(), from: firstSeq - 1, through: lastSeq, epoch };
    const pieces = new LinePieces(stream.bodyBytes);
    let index = 0;
    let firstNo: number | undefined;
    const publish = async (body: Uint8Array, isLast: boolean) => {
      signal.throwIfAborted();
      const no = await stream.publish(token, "base", { head: { ...head, index, isLast } satisfies BaseHead, body });
      firstNo ??= no;
      index += 1;
    };
    for (let after = 0; ; ) {
      const { lines, lastNo } = await source.messages(sessionId, after);
      if (lines.length === 0) break;
      after = lastNo;
      for (const piece of pieces.add(lines.join("\n"))) await publish(piece, false);
    }
    await publish(pieces.rest(), true);
    const logNo = (await stream.places(token)).get(token)?.logNo ?? 0;
    const place = { generation, begunAt: head.at, seq: head.from, digest: "", isCompared: true, logNo, rowDigest: "" };
    places.set(token, place);
    await this.#copyRow(sessionId);
    if (known !== undefined || logNo > 0) {
      await stream.erase(sessionId, firstNo);
      places.set(token, { ...place, logNo: 0, rowDigest: places.get(token)?.rowDigest ?? "" });
    }
    return places.get(token) ?? place;
  }

  async #copyEntries(sessionId: string, from: SessionPlace): Promise<void> {
    const { source, stream, places, onSent, signal } = this.#options;
    const token = sessionToken(sessionId);
    const bounds = { bytes: stream.bodyBytes, entries: FLEET_LIMITS.replicaEntries };
    let place = from;
    for (;;) {
      const run = await source.entries(sessionId, place.seq + 1, bounds);
      if (run.entries.length === 0) return;
      for (const { head, body } of packEntries(run, place, bounds, (entry) => entryDigest(run, entry))) {
        signal.throwIfAborted();
        const logNo = await stream.publish(token, "log", { head, body, after: place.logNo });
        const isWhole = head.piece === undefined || head.piece[0] + 1 === head.piece[1];
        place = { ...place, logNo, ...(isWhole ? { seq: head.last, digest: head.digest } : {}) };
        places.set(token, place);
        if (isWhole) onSent(sessionId, head.last - head.first + 1, body.length);
      }
    }
  }

  async #copyRow(sessionId: string): Promise<void> {
    const { source, stream, places } = this.#options;
    const token = sessionToken(sessionId);
    const session = await source.session(sessionId);
    const place = places.get(token);
    if (session === undefined || place === undefined) return;
    const text = JSON.stringify(session.row);
    const digest = digestOf(text);
    if (digest === place.rowDigest) return;
    const head: RowHead = { digest, at: Date.now() };
    await stream.publish(token, "row", { head, body: new TextEncoder().encode(text) });
    places.set(token, { ...(places.get(token) ?? place), rowDigest: digest });
  }
}

/** With the time: the last entry of a turn has the same text in every history, and a store that was lost counts its epochs anew. */
function entryDigest({ epoch, at }: ReplicaEntries, entry: string): string {
  return digestOf(`${epoch} ${at} ${entry}`);
}

/** Long enough that two entries of different histories do not have the same. */
function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
