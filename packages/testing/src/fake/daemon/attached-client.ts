import type { Credit, EnvelopeMeta } from "@daemon-sdk/protocol";
import type { FakeEntry, FakeJournal } from "./journal.js";
import type { FakeLink } from "./link.js";

/** What a follower needs to know of its session. */
export interface FollowedSession {
  readonly id: string;
  readonly journal: FakeJournal;
  /** Whether entries say where they stand. */
  readonly hasPositions: boolean;
  /** Whether that connection is to get the entry; notifications are for all. */
  isFor(entry: FakeEntry, link: FakeLink): boolean;
  /** Detaches that connection. */
  unfollow(link: FakeLink): void;
}

/** One connection attached to one session: a cursor into its journal, which moves while there is credit (docs/protocol.md §9). */
export class FakeAttachedClient {
  readonly link: FakeLink;
  readonly #session: FollowedSession;
  #credit: Credit | undefined;
  #nextSeq: number;
  /** Up to here urgent entries were sent ahead of their place. */
  #lookedAhead = 0;

  /** @param afterSeq the last entry this connection has */
  constructor(session: FollowedSession, link: FakeLink, afterSeq: number, credit: Credit | undefined) {
    this.#session = session;
    this.link = link;
    this.#nextSeq = afterSeq + 1;
    this.#credit = credit && { ...credit };
  }

  /** Credit that is left; undefined is without bound. */
  get credit(): Credit | undefined {
    return this.#credit && { ...this.#credit };
  }

  /** How many entries of the journal this connection was not sent in their place. */
  get waiting(): number {
    return this.#session.journal.position.seq - this.#nextSeq + 1;
  }

  /** Adds to the credit; nothing where there is no bound. */
  grant({ events, bytes }: Credit): void {
    if (!this.#credit) return;
    this.#credit.events += events;
    this.#credit.bytes += bytes;
    this.pump();
  }

  /** Goes on at the end of the journal, with exactly this credit. */
  follow(credit: Credit): void {
    this.#nextSeq = this.#session.journal.position.seq + 1;
    this.#credit = { ...credit };
  }

  /** Sends what may be sent. */
  pump(): void {
    const { journal } = this.#session;
    let entry = journal.entry(this.#nextSeq);
    for (; entry && this.#mayMove(entry); entry = journal.entry(this.#nextSeq)) {
      if (this.#credit && !journal.has(this.#nextSeq)) {
        this.#losePlace();
        return;
      }
      this.#nextSeq++;
      this.#send(entry);
    }
    if (entry) this.#sendAhead();
  }

  #losePlace(): void {
    const { id: sessionId } = this.#session;
    this.#session.unfollow(this.link);
    const message = "The journal no longer has what comes next. Load the session again.";
    const notification = { type: "session_unsubscribed", message, code: "RESUME_TOO_OLD" };
    this.link.notify("session_notification", { sessionId, notification });
  }

  #mayMove(entry: FakeEntry): boolean {
    return entry.isUrgent || !this.#credit || (this.#credit.events > 0 && this.#credit.bytes > 0);
  }

  #sendAhead(): void {
    const end = this.#session.journal.position.seq;
    for (let seq = Math.max(this.#lookedAhead + 1, this.#nextSeq); seq <= end; seq++) {
      const entry = this.#session.journal.entry(seq);
      if (entry?.isUrgent) this.#send(entry, { early: true });
    }
    this.#lookedAhead = end;
  }

  #send(entry: FakeEntry, early?: EnvelopeMeta): void {
    if (!this.#session.isFor(entry, this.link)) return;
    const meta = this.#session.hasPositions || early ? { ...this.#placeOf(entry), ...early } : undefined;
    const { requestId, method, params } = entry;
    const text =
      requestId === undefined
        ? this.link.notify(method, params, meta)
        : this.link.request(requestId, method, params, meta);
    if (!this.#credit || entry.isUrgent) return;
    this.#credit.events -= 1;
    this.#credit.bytes -= new TextEncoder().encode(text).byteLength;
  }

  #placeOf(entry: FakeEntry): EnvelopeMeta {
    return this.#session.hasPositions ? entry.position : {};
  }
}
