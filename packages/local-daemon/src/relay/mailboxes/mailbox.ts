import type { MailboxRow, MailboxState } from "../../storage/index.js";
import { machineOf } from "../names/index.js";
import { Backlog, type WaitingBytes } from "./backlog.js";
import type { DurableCursor } from "./durable-cursor.js";
import { streamPlace } from "./stored-deliver.js";
import { WaitingSince } from "./waiting-since.js";

/** A mailbox as the store has it. */
export type StoredMailbox = MailboxRow & { readonly streams: readonly (readonly [string, number])[] };

/**
 * One mailbox in memory: its backlog, its connected readers, and the last number of each of its streams. The entries
 * themselves are in the store.
 */
export class Mailbox {
  readonly address: string;
  readonly backlog: Backlog;
  readonly readers = new Set<DurableCursor>();
  readonly streams: Map<string, number>;
  /** Streams whose last number the store has only in the entries. */
  readonly dirtyStreams = new Set<string>();
  /** Session of the DELIVERs that are made while no reader is connected. */
  sessionId: string;
  /** Messages were dropped by age since the last connection. */
  hasLost: boolean;
  /** The newest entry when the mailbox was loaded. */
  foundPosition = 0;
  /** Since when mail waits; kept for an outbox only. */
  readonly since = new WaitingSince();
  /** Segments that end before this position were dropped from the store. */
  prunedBefore = 0;
  /** The store does not have this mailbox, or has another session for it: its whole row is to be written. */
  isNew: boolean;

  /** @param sessionId of a mailbox that the store does not have */
  constructor(address: string, sessionId: string, all: WaitingBytes, stored?: StoredMailbox) {
    this.address = address;
    const body =
      stored === undefined ? undefined : (JSON.parse(stored.body) as { sessionId: string; hasLost: boolean });
    this.backlog = new Backlog(stored, all);
    this.sessionId = body?.sessionId ?? sessionId;
    this.hasLost = body?.hasLost ?? false;
    this.streams = new Map(stored?.streams);
    this.isNew = stored === undefined;
  }

  /** Whether it holds mail for another machine, whose readers are there. */
  get isOutbox(): boolean {
    return machineOf(this.address) !== undefined;
  }

  /** Whether a connected reader gets new entries at once; false for an outbox. */
  get isLive(): boolean {
    if (this.isOutbox) return false;
    for (const reader of this.readers) if (reader.isLive) return true;
    return false;
  }

  /** Takes over entries that were stored after the mailbox's state was: a daemon was killed in between. */
  recover(texts: readonly string[]): void {
    for (const text of texts) {
      const place = streamPlace(text);
      this.backlog.append(1, text.length);
      // A damaged entry has no number. It keeps its position, and readers skip nothing because of it.
      if (place === undefined) continue;
      this.streams.set(place.stream, place.seq);
      this.dirtyStreams.add(place.stream);
    }
  }

  state(): MailboxState {
    return { address: this.address, ...this.backlog.account() };
  }

  row(): MailboxRow {
    const { sessionId, hasLost } = this;
    return { ...this.state(), body: JSON.stringify({ sessionId, hasLost }) };
  }
}
