import { type DaemonError, type Logger, newId } from "@daemon-sdk/protocol";
import type { Batch, Committer } from "../../journal/index.js";
import type { RelayLimits } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";
import { addressFor, channelAddress } from "../names/index.js";
import { DurableCursor } from "./durable-cursor.js";
import { Expiry } from "./expiry.js";
import { Mailbox } from "./mailbox.js";
import { readHistory } from "./mailbox-history.js";
import { MailboxTransaction } from "./mailbox-transaction.js";
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
import { Redelivery } from "./redelivery.js";
import { readEntries } from "./stored-entries.js";
import { UnsavedStates } from "./unsaved-states.js";

/** Options of {@link DurableMailboxes}. */
export interface DurableMailboxesOptions {
  readonly store: Store;
  readonly committer: Committer;
  readonly limits: RelayLimits;
  readonly now: () => number;
  readonly logger: Logger;
  /** The mailbox of a name: users have their own, beside an agent of the same name. */
  addressOf(name: string): string;
}

/** Posts of one caller. */
interface Submission {
  readonly posts: readonly Post[];
  readonly isHistory: boolean;
  settle(outcomes: readonly PostOutcome[]): void;
}

/**
 * The {@link Mailboxes} over a store. All posts and ACKs of a tick are one transaction; what was committed is delivered right
 * after it, from memory.
 */
export class DurableMailboxes implements Mailboxes {
  readonly #options: DurableMailboxesOptions;
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #unsaved: UnsavedStates;
  readonly #redelivery: Redelivery;
  readonly #expiry: Expiry;
  #submissions: Submission[] = [];

  constructor(options: DurableMailboxesOptions) {
    this.#options = options;
    this.#unsaved = new UnsavedStates(() => options.committer.enlist(this));
    const mailboxes = () => this.#mailboxes.values();
    this.#redelivery = new Redelivery({ ...options, mailboxes });
    this.#expiry = new Expiry({ ...options, mailboxes, onDropped: (mailbox) => this.#unsaved.addRow(mailbox) });
  }

  /** Reads what an earlier daemon stored. Call it once, before anything else. Rejects when the store fails. */
  async load(): Promise<void> {
    for (const stored of await this.#options.store.mailboxes()) {
      const mailbox = new Mailbox(stored.address, newId(), stored);
      this.#mailboxes.set(stored.address, mailbox);
      await this.#recover(mailbox);
    }
    await this.#expiry.start();
  }

  /** Ends the timers. What was acknowledged is enlisted for the next transaction. */
  stop(): void {
    this.#expiry.stop();
    this.#redelivery.stop();
    this.#unsaved.stop();
  }

  post(posts: readonly Post[]): Promise<PostOutcome[]> {
    return new Promise((resolve) => this.submit(posts, (outcomes) => resolve([...outcomes])));
  }

  /** As {@link post}, without a promise: a busy daemon calls this once per message. */
  submit(posts: readonly Post[], settle: (outcomes: readonly PostOutcome[]) => void): void {
    this.#submissions.push({ posts, isHistory: false, settle });
    this.#options.committer.enlist(this);
  }

  record(posts: readonly Post[]): void {
    this.#submissions.push({ posts, isHistory: true, settle: () => {} });
    this.#options.committer.enlist(this);
  }

  attach(name: string, sink: MailboxSink, { entityType, sessionId }: AttachOptions = {}): MailboxCursor {
    const { store, now, logger } = this.#options;
    const mailbox = this.#mailbox(
      entityType === undefined ? this.#options.addressOf(name) : addressFor(name, entityType),
    );
    mailbox.sessionId = sessionId ?? mailbox.sessionId;
    const reader = new DurableCursor({
      ...{ sink, store, now, logger },
      address: mailbox.address,
      backlog: mailbox.backlog,
      sessionId: mailbox.sessionId,
      onAcked: () => this.#unsaved.add(mailbox),
      onDelivered: () => this.#redelivery.wake(),
      onClosed: (closed) => this.#detached(mailbox, closed),
    });
    mailbox.readers.add(reader);
    reader.start();
    return reader;
  }

  history(query: HistoryQuery): Promise<HistoryEntry[]> {
    const { store } = this.#options;
    const address = this.#historyAddress(query.to);
    return readHistory({ store, address, backlogOf: (of) => this.#mailboxes.get(of)?.backlog }, query);
  }

  /** What is kept for a name: its mailbox, else the channel of that name. */
  #historyAddress(to: string | undefined): string | undefined {
    if (to === undefined) return undefined;
    const own = this.#options.addressOf(to);
    return this.#mailboxes.has(own) ? own : channelAddress(to);
  }

  /** Whether a message of that address was not acknowledged. */
  hasMail(address: string): boolean {
    return (this.#mailboxes.get(address)?.backlog.depth ?? 0) > 0;
  }

  /** Whether messages of that address were dropped by age since the last call. */
  takeLoss(address: string): boolean {
    const mailbox = this.#mailboxes.get(address);
    if (mailbox === undefined || !mailbox.hasLost) return false;
    mailbox.hasLost = false;
    this.#unsaved.addRow(mailbox);
    return true;
  }

  /** Drops a mailbox with all its entries. Rejects when the store fails. */
  async remove(address: string): Promise<void> {
    const mailbox = this.#mailboxes.get(address);
    if (mailbox === undefined) return;
    for (const reader of mailbox.readers) reader.close();
    this.#mailboxes.delete(address);
    this.#unsaved.delete(mailbox);
    await this.#options.committer.commit([{ kind: "dropMailbox", address }]);
  }

  /** For the committer: everything to store, and what is delivered once it is stored. */
  takeBatch(): Batch {
    const { limits, now, addressOf } = this.#options;
    const transaction = new MailboxTransaction({
      limits,
      now: now(),
      mailboxOf: (post, isHistory) => this.#mailbox(isHistory ? channelAddress(post.to) : addressOf(post.to)),
    });
    const changed = this.#unsaved.take();
    const submissions = this.#submissions;
    this.#submissions = [];
    const outcomes = submissions.map(({ posts, isHistory }) => posts.map((post) => transaction.add(post, isHistory)));
    return {
      writes: transaction.writes(changed),
      settle: (error) => {
        if (error === undefined) this.#committed(transaction, submissions, outcomes);
        else this.#failed(error, transaction, submissions, changed);
      },
    };
  }

  /** @param outcomes of the posts of each submission, before anything was delivered */
  #committed(
    transaction: MailboxTransaction,
    submissions: readonly Submission[],
    outcomes: readonly (readonly PostOutcome[])[],
  ): void {
    for (const { mailbox, entries, isStated } of transaction.committed()) {
      if (!isStated) this.#unsaved.add(mailbox);
      for (const reader of [...mailbox.readers]) reader.onCommitted(entries);
    }
    for (const [index, { posts, isHistory, settle }] of submissions.entries()) {
      const stored = outcomes[index] ?? [];
      if (!isHistory) settle(stored.map((outcome, at) => this.#afterDelivery(outcome, posts[at])));
    }
  }

  #failed(
    error: DaemonError,
    transaction: MailboxTransaction,
    submissions: readonly Submission[],
    changed: ReadonlySet<Mailbox>,
  ): void {
    transaction.failed();
    for (const mailbox of changed) this.#unsaved.add(mailbox);
    const outcome: PostOutcome = { state: "refused", code: "INTERNAL", message: error.message };
    for (const { posts, settle } of submissions) settle(posts.map(() => outcome));
  }

  /** The outcome of a post, after its entry was delivered to connected readers. */
  #afterDelivery(outcome: PostOutcome, post: Post | undefined): PostOutcome {
    if (outcome.state !== "queued" || post === undefined) return outcome;
    return this.#mailboxes.get(this.#options.addressOf(post.to))?.isLive === true ? { state: "delivered" } : outcome;
  }

  #mailbox(address: string): Mailbox {
    const known = this.#mailboxes.get(address);
    if (known !== undefined) return known;
    const made = new Mailbox(address, newId());
    this.#mailboxes.set(address, made);
    return made;
  }

  #detached(mailbox: Mailbox, reader: DurableCursor): void {
    mailbox.readers.delete(reader);
    if (mailbox.readers.size > 0) return;
    // Nobody is left to acknowledge: the next reader gets all of it again.
    mailbox.backlog.waiting.clear();
    this.#unsaved.addRow(mailbox);
  }

  /** Reads the entries stored after the mailbox's state: a daemon may be killed in between. */
  async #recover(mailbox: Mailbox): Promise<void> {
    const { backlog, address } = mailbox;
    for (;;) {
      const entries = await readEntries(this.#options.store, address, backlog.lastPosition + 1);
      if (entries.length === 0) return;
      mailbox.recover(entries.map(({ text }) => text));
      this.#unsaved.add(mailbox);
    }
  }
}
