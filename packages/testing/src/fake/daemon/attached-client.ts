import type { Credit, EnvelopeMeta } from "@daemon-sdk/protocol";
import type { FakeEntry, FakeJournal } from "./journal.js";
import type { FakeLink } from "./link.js";

/** What a {@link FakeAttachedClient} needs of its session. */
export interface AttachableSession {
  readonly id: string;
  readonly journal: FakeJournal;
  /** Whether entries carry their positions. */
  readonly hasPositions: boolean;
  /** Whether that connection receives the entry. Notifications are for all connections. */
  isFor(entry: FakeEntry, link: FakeLink): boolean;
  /** Whether the entry is a request that was resolved. */
  isResolved(entry: FakeEntry): boolean;
  /** Detaches that connection. */
  detach(link: FakeLink): void;
}

/** Where a {@link FakeAttachedClient} begins. */
export interface FakeCursorStart {
  /** The last entry that the connection has, or skips. */
  readonly afterSeq: number;
  /** Default: without bound. */
  readonly credit?: Credit | undefined;
  /** First skipped entry that may need an early copy; default none. */
  readonly earlyFromSeq?: number | undefined;
}

/** One connection attached to one session: a cursor in the session's journal, which moves while it has credit (docs/protocol.md §9). */
export class FakeAttachedClient {
  readonly link: FakeLink;
  readonly #session: AttachableSession;
  #credit: Credit | undefined;
  #nextSeq: number;
  /** The last entry whose early copy was sent, if it needs one. */
  #lookedAhead: number;

  constructor(session: AttachableSession, link: FakeLink, { afterSeq, credit, earlyFromSeq }: FakeCursorStart) {
    this.#session = session;
    this.link = link;
    this.#nextSeq = afterSeq + 1;
    this.#credit = credit && { ...credit };
    this.#lookedAhead = (earlyFromSeq ?? this.#nextSeq) - 1;
  }

  /** Remaining credit; undefined means without bound. */
  get credit(): Credit | undefined {
    return this.#credit && { ...this.#credit };
  }

  /** How many entries of the journal this connection has not received at their place. */
  get waiting(): number {
    return this.#session.journal.position.seq - this.#nextSeq + 1;
  }

  /** Adds to the credit. Has no effect without a bound. */
  grant({ events, bytes }: Credit): void {
    if (!this.#credit) return;
    this.#credit.events += events;
    this.#credit.bytes += bytes;
    this.pump();
  }

  /** Moves to the end of the journal, with exactly this credit. */
  moveToEnd(credit: Credit): void {
    this.#nextSeq = this.#session.journal.position.seq + 1;
    this.#credit = { ...credit };
  }

  /** Sends early copies of skipped entries, then the entries that the credit allows, then early copies of the blocked ones. */
  pump(): void {
    const { journal } = this.#session;
    this.#sendAhead(this.#nextSeq - 1);
    let entry = journal.entry(this.#nextSeq);
    for (; entry && this.#mayMove(entry); entry = journal.entry(this.#nextSeq)) {
      if (this.#credit && !journal.has(this.#nextSeq)) {
        this.#losePlace();
        return;
      }
      const batch = this.#batchFrom(entry);
      this.#nextSeq += batch.length;
      this.#lookedAhead = Math.max(this.#lookedAhead, this.#nextSeq - 1);
      if (batch.length > 1) this.#sendBatch(batch);
      else this.#send(entry);
    }
    if (entry) this.#sendAhead(journal.position.seq);
  }

  /** The entries that are sent together with this one (docs/protocol.md §9, "Batches"). */
  #batchFrom(first: FakeEntry): FakeEntry[] {
    const { journal, hasPositions, id } = this.#session;
    const batch = [first];
    if (!hasPositions || this.#credit?.batches !== true || !isBatchable(first, id)) return batch;
    for (let entry = journal.entry(this.#nextSeq + 1); entry !== undefined; ) {
      const isOfBatch = isBatchable(entry, id) && entry.position.epoch === first.position.epoch;
      if (!isOfBatch || batch.length >= this.#credit.events) break;
      batch.push(entry);
      entry = journal.entry(this.#nextSeq + batch.length);
    }
    return batch;
  }

  #sendBatch(batch: readonly FakeEntry[]): void {
    const notifications = batch.map(({ params }) => Reflect.get(params, "notification"));
    const params = { sessionId: this.#session.id, notifications };
    const text = this.link.notify("session_notifications", params, batch[0]?.position);
    this.#pay(text, batch.length);
  }

  #losePlace(): void {
    const { id: sessionId } = this.#session;
    this.#session.detach(this.link);
    const message = "The journal no longer has the next entry. Load the session again.";
    const notification = { type: "session_unsubscribed", message, code: "RESUME_TOO_OLD" };
    this.link.notify("session_notification", { sessionId, notification });
  }

  #mayMove(entry: FakeEntry): boolean {
    return entry.isUrgent || !this.#credit || (this.#credit.events > 0 && this.#credit.bytes > 0);
  }

  #sendAhead(end: number): void {
    for (let seq = this.#lookedAhead + 1; seq <= end; seq++) {
      const entry = this.#session.journal.entry(seq);
      if (entry?.isUrgent && !this.#session.isResolved(entry)) this.#send(entry, { early: true });
    }
    this.#lookedAhead = Math.max(this.#lookedAhead, end);
  }

  #send(entry: FakeEntry, early?: EnvelopeMeta): void {
    if (!this.#session.isFor(entry, this.link)) return;
    const meta = this.#session.hasPositions || early ? { ...this.#placeOf(entry), ...early } : undefined;
    const { requestId, method, params } = entry;
    const text =
      requestId === undefined
        ? this.link.notify(method, params, meta)
        : this.link.request(requestId, method, params, meta);
    if (!entry.isUrgent) this.#pay(text, 1);
  }

  #pay(text: string, events: number): void {
    if (!this.#credit) return;
    this.#credit.events -= events;
    this.#credit.bytes -= new TextEncoder().encode(text).byteLength;
  }

  #placeOf(entry: FakeEntry): EnvelopeMeta {
    return this.#session.hasPositions ? entry.position : {};
  }
}

/** Whether a batch may hold the entry: a notification that costs credit. */
function isBatchable({ requestId, isUrgent, method, params }: FakeEntry, sessionId: string): boolean {
  const isNotification = requestId === undefined && method === "session_notification" && !isUrgent;
  return isNotification && Reflect.get(params, "sessionId") === sessionId;
}
