import { type DaemonError, type Logger, newId } from "@daemon-sdk/protocol";
import type { Batch, Committer } from "../../journal/index.js";
import type { RelayLimits } from "../../limits/index.js";
import type { RelayWrite, Store } from "../../storage/index.js";
import { deliverId } from "./deliver-text.js";
import { type Entry, Mailbox } from "./mailbox.js";
import { readHistory } from "./mailbox-history.js";
import { MailboxReader } from "./mailbox-reader.js";
import { recoverMailbox } from "./mailbox-recovery.js";
import { MailboxWriter } from "./mailbox-writer.js";
import type {
  AttachOptions,
  HistoryEntry,
  HistoryQuery,
  MailboxCursor,
  Mailboxes,
  MailboxSink,
  Post,
  PostOutcome,
} from "./mailboxes.js";
import { postpone, Redelivery } from "./redelivery.js";
import type { Waiting } from "./waiting-list.js";

/** Options of {@link DurableMailboxes}. */
export interface DurableMailboxesOptions {
  readonly store: Store;
  readonly committer: Committer;
  readonly limits: RelayLimits;
  readonly now: () => number;
  readonly logger: Logger;
  /** The mailbox a name stands for: users have their own, beside an agent of the same name. */
  addressOf(name: string): string;
}

/** Posts of one caller, and who hears of them. */
interface Submission {
  readonly posts: readonly Post[];
  readonly isHistory: boolean;
  settle(outcomes: readonly PostOutcome[]): void;
}

/** An ACK that was read this long before the daemon is killed is stored, with plenty of room to the 50 ms promised. */
const STATE_STORE_MS = 10;

const PAGE_BYTES = 256 * 1024;

/**
 * The {@link Mailboxes} over a store. Everything posted in a tick, and every ACK of it, is one transaction; what was
 * committed is delivered right after it, from memory.
 */
export class DurableMailboxes implements Mailboxes {
  readonly #options: DurableMailboxesOptions;
  readonly #mailboxes = new Map<string, Mailbox>();
  /** Those with a state that the store does not have. */
  #dirty = new Set<Mailbox>();
  #submitted: Submission[] = [];
  #stateTimer: NodeJS.Timeout | undefined;
  #isStateDue = false;
  readonly #redelivery: Redelivery;

  constructor(options: DurableMailboxesOptions) {
    this.#options = options;
    this.#redelivery = new Redelivery({
      mailboxes: () => this.#mailboxes.values(),
      now: options.now,
      redeliver: (mailbox, due) => void this.#redeliver(mailbox, due),
    });
  }

  /** Reads what an earlier daemon left. Call it once, before anything else. */
  async load(): Promise<void> {
    for (const row of await this.#options.store.mailboxes()) {
      const mailbox = new Mailbox(row.address, newId(), row);
      this.#mailboxes.set(row.address, mailbox);
      if (await recoverMailbox(this.#options.store, mailbox)) this.#stateLater(mailbox);
    }
    await this.expire();
  }

  /** Ends what runs by itself; what was acknowledged is handed to the committer. */
  stop(): void {
    this.#redelivery.stop();
    clearTimeout(this.#stateTimer);
    if (this.#dirty.size > 0) this.#stateNow();
  }

  post(posts: readonly Post[]): Promise<PostOutcome[]> {
    return new Promise((resolve) => this.submit(posts, (outcomes) => resolve([...outcomes])));
  }

  /** As {@link post}, without a promise: a busy daemon has one call of this per message. */
  submit(posts: readonly Post[], settle: (outcomes: readonly PostOutcome[]) => void): void {
    this.#submitted.push({ posts, isHistory: false, settle });
    this.#options.committer.enlist(this);
  }

  record(posts: readonly Post[]): void {
    this.#submitted.push({ posts, isHistory: true, settle: () => {} });
    this.#options.committer.enlist(this);
  }

  attach(name: string, sink: MailboxSink, options: AttachOptions = {}): MailboxCursor {
    const address =
      options.entityType === undefined ? this.#options.addressOf(name) : addressFor(name, options.entityType);
    const mailbox = this.mailbox(address);
    mailbox.sessionId = options.sessionId ?? mailbox.sessionId;
    const { store, now, logger } = this.#options;
    const reader = new MailboxReader({
      ...{ mailbox, sink, store, now, logger },
      sessionId: mailbox.sessionId,
      onAcked: (changed) => this.#stateLater(changed),
      onDelivered: () => this.#redelivery.wake(),
      onClosed: (closed) => this.#detached(mailbox, closed),
    });
    mailbox.readers.add(reader);
    reader.start();
    return reader;
  }

  history(query: HistoryQuery): Promise<HistoryEntry[]> {
    const address = query.to === undefined ? undefined : this.#options.addressOf(query.to);
    return readHistory(this.#options.store, query, address, (of) => this.#mailboxes.get(of));
  }

  /** Whether messages of that address were dropped by age since this was asked last. */
  takeLoss(address: string): boolean {
    const mailbox = this.#mailboxes.get(address);
    if (mailbox === undefined || !mailbox.hasLost) return false;
    mailbox.hasLost = false;
    this.#rewritten(mailbox);
    return true;
  }

  /** Drops a mailbox with everything in it. */
  async remove(address: string): Promise<void> {
    const mailbox = this.#mailboxes.get(address);
    if (mailbox === undefined) return;
    for (const reader of mailbox.readers) reader.close();
    this.#mailboxes.delete(address);
    this.#dirty.delete(mailbox);
    await this.#options.committer.commit([{ kind: "dropMailbox", address }]);
  }

  /** Drops what is past its age. Rejects when the store fails. */
  async expire(): Promise<void> {
    for (const mailbox of this.#mailboxes.values()) if (mailbox.depth > 0) await this.#expire(mailbox);
  }

  takeBatch(): Batch {
    const submissions = this.#submitted;
    const dirty = this.#takeDirty();
    this.#submitted = [];
    const writer = new MailboxWriter({
      limits: this.#options.limits,
      now: this.#options.now(),
      mailboxOf: (post, isHistory) => this.mailbox(isHistory ? post.to : this.#options.addressOf(post.to)),
    });
    const outcomes = submissions.map(({ posts, isHistory }) => posts.map((post) => writer.add(post, isHistory)));
    const writes: RelayWrite[] = writer.writes(dirty);
    return { writes, settle: (error) => this.#settle(error, { submissions, outcomes, writer, dirty }) };
  }

  /** Mailboxes whose state is to be stored now. */
  #takeDirty(): ReadonlySet<Mailbox> {
    if (!this.#isStateDue) return new Set();
    const dirty = this.#dirty;
    this.#dirty = new Set();
    this.#isStateDue = false;
    clearTimeout(this.#stateTimer);
    this.#stateTimer = undefined;
    return dirty;
  }

  /** The mailbox of an address, made when there is none. */
  mailbox(address: string): Mailbox {
    const known = this.#mailboxes.get(address);
    if (known !== undefined) return known;
    const made = new Mailbox(address, newId());
    this.#mailboxes.set(address, made);
    return made;
  }

  #settle(
    error: DaemonError | undefined,
    batch: {
      submissions: readonly Submission[];
      outcomes: readonly (readonly PostOutcome[])[];
      writer: MailboxWriter;
      dirty: ReadonlySet<Mailbox>;
    },
  ): void {
    const { submissions, outcomes, writer, dirty } = batch;
    if (error !== undefined) {
      writer.failed();
      for (const mailbox of dirty) this.#stateLater(mailbox);
      const outcome: PostOutcome = { state: "refused", code: "INTERNAL", message: error.message };
      for (const { posts, settle } of submissions) settle(posts.map(() => outcome));
      return;
    }
    for (const { mailbox, entries, isStated } of writer.committed()) {
      if (!isStated) this.#stateLater(mailbox);
      this.#deliver(mailbox, entries);
    }
    for (const [index, { posts, isHistory, settle }] of submissions.entries()) {
      const settled = outcomes[index] ?? [];
      if (!isHistory) settle(settled.map((outcome, at) => this.#asDelivered(outcome, posts[at])));
    }
  }

  #asDelivered(outcome: PostOutcome, post: Post | undefined): PostOutcome {
    if (outcome.state !== "queued" || post === undefined) return outcome;
    return this.#mailboxes.get(this.#options.addressOf(post.to))?.isLive === true ? { state: "delivered" } : outcome;
  }

  #deliver(mailbox: Mailbox, entries: readonly Entry[]): void {
    for (const reader of [...mailbox.readers]) reader.onCommitted(entries);
  }

  /** Stores the state of a mailbox after a short while: neither a message nor an ACK is worth one of its own. */
  #stateLater(mailbox: Mailbox): void {
    this.#dirty.add(mailbox);
    this.#stateTimer ??= setTimeout(() => this.#stateNow(), STATE_STORE_MS);
  }

  #stateNow(): void {
    this.#isStateDue = true;
    this.#options.committer.enlist(this);
  }

  #changed(mailbox: Mailbox): void {
    this.#dirty.add(mailbox);
    this.#stateNow();
  }

  #rewritten(mailbox: Mailbox): void {
    mailbox.isNew = true;
    this.#changed(mailbox);
  }

  #detached(mailbox: Mailbox, reader: MailboxReader): void {
    mailbox.readers.delete(reader);
    if (mailbox.readers.size > 0) return;
    // Nobody is there to acknowledge: who comes next gets all of it again.
    mailbox.waiting.clear();
    this.#rewritten(mailbox);
  }

  async #redeliver(mailbox: Mailbox, due: readonly Waiting[]): Promise<void> {
    const wanted = new Map(due.map((entry) => [entry.position, entry]));
    for (const entry of due) postpone(entry);
    try {
      while (wanted.size > 0) await this.#redeliverPage(mailbox, wanted);
    } catch (error) {
      this.#options.logger.error({ mailbox: mailbox.address, error: String(error) }, "a mailbox could not be read");
    }
  }

  /** Redelivers what is wanted of the page that holds the oldest of it, and takes that out of `wanted`. */
  async #redeliverPage(mailbox: Mailbox, wanted: Map<number, Waiting>): Promise<void> {
    const from = Math.min(...wanted.keys());
    const segments = await this.#options.store.readMailbox(mailbox.address, from, PAGE_BYTES);
    wanted.delete(from);
    const texts = segments.flatMap(({ firstPosition, entries }) =>
      entries.map((text, index) => ({ position: firstPosition + index, text })),
    );
    for (const { position, text } of texts) {
      const isWanted = position === from || wanted.delete(position);
      if (!isWanted || mailbox.isAcked(position)) continue;
      for (const reader of mailbox.readers) reader.redeliver({ id: deliverId(text), position, text });
    }
  }

  async #expire(mailbox: Mailbox): Promise<void> {
    const { store, limits, now, logger } = this.#options;
    const oldest = now() - limits.mailboxAgeMs;
    let dropped = 0;
    for (;;) {
      const [segment] = await store.readMailbox(mailbox.address, mailbox.lowWater + 1, 1);
      if (segment === undefined || segment.createdAt >= oldest) break;
      const end = segment.firstPosition + segment.entries.length - 1;
      const old = segment.entries.filter((_, index) => !mailbox.isAcked(segment.firstPosition + index));
      dropped += old.length;
      mailbox.drop(
        end,
        old.reduce((sum, text) => sum + text.length, 0),
      );
    }
    if (dropped === 0) return;
    mailbox.hasLost = true;
    this.#rewritten(mailbox);
    logger.warn({ mailbox: mailbox.address, dropped }, "messages were not acknowledged within their age, and dropped");
  }
}

/** The mailbox of a user or an agent. No agent may be named like a user's address. */
export function addressFor(name: string, entityType: "agent" | "user"): string {
  return entityType === "user" ? `@user:${name}` : name;
}
