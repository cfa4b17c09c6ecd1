import { type DaemonError, type Logger, newId } from "@daemon-sdk/protocol";
import type { Batch, Committer } from "../../journal/index.js";
import type { RelayLimits } from "../../limits/index.js";
import type { RelayWrite, Store } from "../../storage/index.js";
import { addressFor, channelAddress, machineAddress, machineOf } from "../names/index.js";
import { WaitingBytes } from "./backlog.js";
import { DeadLetters } from "./dead-letters.js";
import { DurableCursor } from "./durable-cursor.js";
import { Expiry } from "./expiry.js";
import { HistoryBound } from "./history-bound.js";
import { Mailbox } from "./mailbox.js";
import { readHistory } from "./mailbox-history.js";
import { MailboxRemovals } from "./mailbox-removals.js";
import { MailboxTransaction } from "./mailbox-transaction.js";
import type {
  AttachOptions,
  HistoryEntry,
  HistoryQuery,
  HistoryReader,
  MailboxCursor,
  Mailboxes,
  MailboxSink,
  Post,
  PostOutcome,
} from "./mailboxes.js";
import { type OutboxFigures, outboxFigures } from "./outbox-figures.js";
import { Redelivery } from "./redelivery.js";
import { resendLetters } from "./resend-letters.js";
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
  /** Mail waits for that machine: called once for each machine, after the mail was stored. */
  onOutbox?(machineId: string): void;
}

/** Where an outbox stands. */
export interface OutboxPlace {
  /** Everything up to this position was reported, or dropped. */
  readonly lowWater: number;
  readonly lastPosition: number;
  /** The newest letter that this daemon found when it started. */
  readonly foundPosition: number;
}

/** Posts of one caller. */
interface Submission {
  readonly posts: readonly Post[];
  readonly isHistory: boolean;
  /** What is stored in the transaction of the posts. */
  along?(outcomes: readonly PostOutcome[]): readonly RelayWrite[];
  settle(outcomes: readonly PostOutcome[]): void;
}

/**
 * The {@link Mailboxes} over a store. All posts and ACKs of a tick are one transaction; what was committed is delivered right
 * after it, from memory.
 */
export class DurableMailboxes implements Mailboxes {
  readonly #options: DurableMailboxesOptions;
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #waitingBytes = new WaitingBytes();
  readonly #unsaved: UnsavedStates;
  readonly #redelivery: Redelivery;
  readonly #expiry: Expiry;
  readonly #dead: DeadLetters;
  readonly #history: HistoryBound;
  /** Machines of which `onOutbox` was called. */
  readonly #announced = new Set<string>();
  #submissions: Submission[] = [];
  /** Mailboxes to which the running transaction adds. */
  #writing: ReadonlySet<Mailbox> = new Set();
  readonly #removals = new MailboxRemovals();

  constructor(options: DurableMailboxesOptions) {
    this.#options = options;
    this.#unsaved = new UnsavedStates(() => options.committer.enlist(this));
    const mailboxes = () => this.#mailboxes.values();
    this.#redelivery = new Redelivery({ ...options, mailboxes: () => this.#inboxes() });
    this.#dead = new DeadLetters(options);
    this.#history = new HistoryBound({ ...options, maxBytes: options.limits.mailboxHistoryBytes });
    this.#expiry = new Expiry({
      ...options,
      mailboxes,
      onDead: ({ address, prunedBefore }, positions) => this.#dead.add(address, positions, prunedBefore),
      onDropped: (mailbox) => this.#unsaved.addRow(mailbox),
    });
  }

  /** Reads what an earlier daemon stored. Call it once, before anything else. Rejects when the store fails. */
  async load(): Promise<void> {
    for (const stored of await this.#options.store.mailboxes()) {
      const mailbox = new Mailbox(stored.address, newId(), this.#waitingBytes, stored);
      this.#mailboxes.set(stored.address, mailbox);
      await this.#recover(mailbox);
      mailbox.foundPosition = mailbox.backlog.lastPosition;
      if (mailbox.isOutbox && mailbox.backlog.depth > 0) await this.#foundOutbox(mailbox);
    }
    await this.#dead.load();
    await this.#history.load();
    this.#expiry.start();
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

  /**
   * As {@link post}, without a promise: a busy daemon calls this once per message.
   *
   * @param along makes what is to be stored in the same transaction
   */
  submit(
    posts: readonly Post[],
    settle: (outcomes: readonly PostOutcome[]) => void,
    along?: (outcomes: readonly PostOutcome[]) => readonly RelayWrite[],
  ): void {
    this.#submissions.push({ posts, isHistory: false, settle, ...(along === undefined ? {} : { along }) });
    this.#options.committer.enlist(this);
  }

  record(posts: readonly Post[]): void {
    this.#submissions.push({ posts, isHistory: true, settle: () => {} });
    this.#options.committer.enlist(this);
  }

  attach(name: string, sink: MailboxSink, { entityType, sessionId }: AttachOptions = {}): MailboxCursor {
    const address = entityType === undefined ? this.#options.addressOf(name) : addressFor(name, entityType);
    const mailbox = this.#mailbox(address);
    mailbox.sessionId = sessionId ?? mailbox.sessionId;
    return this.#attach(mailbox, sink);
  }

  /** Reads the mail for another machine. Nothing is delivered again: a reader that wants it again attaches again. */
  attachOutbox(machineId: string, sink: MailboxSink): MailboxCursor {
    return this.#attach(this.#mailbox(machineAddress(machineId)), sink);
  }

  /** Where the outbox for a machine stands. */
  outbox(machineId: string): OutboxPlace {
    const mailbox = this.#mailboxes.get(machineAddress(machineId));
    const { lowWater = 0, lastPosition = 0 } = mailbox?.backlog ?? {};
    return { lowWater, lastPosition, foundPosition: mailbox?.foundPosition ?? 0 };
  }

  /** What waits for each machine that ever had mail from here. */
  outboxFigures(): OutboxFigures[] {
    return outboxFigures(this.#mailboxes.values(), this.#dead, this.#options.now());
  }

  /** Messages for another machine that it did not take become dead letters. Rejects when the store fails. */
  async refusedElsewhere(machineId: string, positions: readonly number[]): Promise<void> {
    const address = machineAddress(machineId);
    await this.#dead.add(address, positions, this.#mailboxes.get(address)?.prunedBefore ?? 0);
  }

  #attach(mailbox: Mailbox, sink: MailboxSink): MailboxCursor {
    const { store, now, logger } = this.#options;
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
    return this.#readHistory(this.#historyAddress(query.to), query);
  }

  /**
   * Posts dead letters again, as their senders had sent them. A letter that its mailbox takes is none any more. Resolves with the
   * ids of those. Rejects when the store fails.
   */
  resend(ids: readonly string[], reader?: HistoryReader): Promise<string[]> {
    const read = (address: string, query: HistoryQuery) => this.#readHistory(address, query);
    return resendLetters({ dead: this.#dead, read, post: (posts) => this.post(posts) }, { ids, reader });
  }

  #readHistory(address: string | undefined, query: HistoryQuery): Promise<HistoryEntry[]> {
    const { store } = this.#options;
    return readHistory({ store, address, statusOf: (of, position) => this.#statusOf(of, position) }, query);
  }

  #statusOf(address: string, position: number): HistoryEntry["status"] {
    const backlog = this.#mailboxes.get(address)?.backlog;
    if (backlog !== undefined && !backlog.isAcked(position)) {
      return position <= backlog.waiting.highest ? "read" : "unread";
    }
    return this.#dead.has(address, position) ? "failed" : "acked";
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

  /**
   * Which addresses hold mail, are getting some, or have dead letters: whoever is known there must stay known. The answer is valid in
   * this turn of the loop.
   */
  withMail(): (address: string) => boolean {
    const arriving = new Set<string>();
    for (const { address } of this.#writing) arriving.add(address);
    for (const { posts } of this.#submissions) for (const { to } of posts) arriving.add(this.#options.addressOf(to));
    return (address) => arriving.has(address) || this.hasMail(address) || this.#dead.count(address) > 0;
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
    // Positions of an outbox must never be used twice.
    if (mailbox === undefined || mailbox.isOutbox) return;
    for (const reader of mailbox.readers) reader.close();
    this.#mailboxes.delete(address);
    this.#unsaved.delete(mailbox);
    mailbox.backlog.discard();
    this.#options.committer.enlist(this);
    await Promise.all([this.#removals.add(address), this.#dead.forget(address)]);
  }

  /** For the committer: everything to store, and what is delivered once it is stored. */
  takeBatch(): Batch {
    const { limits, now, addressOf } = this.#options;
    const transaction = new MailboxTransaction({
      limits,
      now: now(),
      totalBytes: this.#waitingBytes.total,
      mailboxOf: ({ to, machineId }, isHistory) => {
        if (machineId !== undefined) return this.#mailbox(machineAddress(machineId));
        return this.#mailbox(isHistory ? channelAddress(to) : addressOf(to));
      },
    });
    const changed = this.#unsaved.take();
    const submissions = this.#submissions;
    const removals = this.#removals.take();
    this.#submissions = [];
    const outcomes = submissions.map(({ posts, isHistory }) => posts.map((post) => transaction.add(post, isHistory)));
    this.#writing = transaction.mailboxes;
    return {
      writes: [
        ...removals.writes,
        ...transaction.writes(changed),
        ...submissions.flatMap(({ along }, index) => along?.(outcomes[index] ?? []) ?? []),
      ],
      settle: (error) => {
        this.#writing = new Set();
        removals.settle(error);
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
    this.#history.written(transaction.writtenUnits);
    for (const { mailbox, entries, isStated } of transaction.committed()) {
      if (!isStated) this.#unsaved.add(mailbox);
      if (mailbox.isOutbox) this.#filledOutbox(mailbox);
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
    if (outcome.state !== "queued" || post === undefined || post.machineId !== undefined) return outcome;
    return this.#mailboxes.get(this.#options.addressOf(post.to))?.isLive === true ? { state: "delivered" } : outcome;
  }

  #mailbox(address: string): Mailbox {
    const known = this.#mailboxes.get(address);
    if (known !== undefined) return known;
    const made = new Mailbox(address, newId(), this.#waitingBytes);
    this.#mailboxes.set(address, made);
    return made;
  }

  *#inboxes(): Generator<Mailbox> {
    for (const mailbox of this.#mailboxes.values()) if (!mailbox.isOutbox) yield mailbox;
  }

  /** An earlier daemon left mail for another machine. */
  async #foundOutbox(mailbox: Mailbox): Promise<void> {
    const { address, backlog, since } = mailbox;
    const [oldest] = await this.#options.store.readMailbox(address, backlog.lowWater + 1, 1);
    if (oldest !== undefined) since.stored(backlog.lastPosition, oldest.createdAt);
    this.#announceOutbox(mailbox);
  }

  #filledOutbox(mailbox: Mailbox): void {
    mailbox.since.stored(mailbox.backlog.lastPosition, this.#options.now());
    this.#announceOutbox(mailbox);
  }

  #announceOutbox({ address }: Mailbox): void {
    const machineId = machineOf(address);
    if (machineId === undefined || this.#announced.has(machineId)) return;
    this.#announced.add(machineId);
    this.#options.onOutbox?.(machineId);
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
