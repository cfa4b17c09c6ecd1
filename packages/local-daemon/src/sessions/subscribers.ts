import type { Logger } from "@daemon-sdk/protocol";
import type { Inbox } from "../inbox/index.js";
import { Cursor, type CursorSource, type CursorStart, readFrame, type SessionClient } from "../journal/index.js";
import type { TurnQueue } from "../turns/index.js";

/** Options of {@link Subscribers}. */
export interface SubscribersOptions {
  readonly source: CursorSource;
  readonly inbox: Inbox;
  /** The session's turns: who started the running one is asked first. */
  turns(): TurnQueue;
  readonly logger: Logger;
}

/**
 * Who follows one session, each with a cursor of its own.
 *
 * Everybody gets every notification. A request goes to every client that uses our extensions, and to at most one plain
 * one, which may cancel it at once: the one that started the turn; without such, the latest, when only plain ones follow.
 */
export class Subscribers {
  readonly #options: SubscribersOptions;
  /** In the order they came. */
  readonly #cursors = new Map<SessionClient, Cursor>();
  /** The plain client that a request was sent to. */
  readonly #asked = new Map<string, SessionClient>();

  constructor(options: SubscribersOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#cursors.size;
  }

  /** Those who follow. */
  get clients(): SessionClient[] {
    return [...this.#cursors.keys()];
  }

  /** The place of a client that follows. */
  cursorOf(client: SessionClient): Cursor | undefined {
    return this.#cursors.get(client);
  }

  /** Follows from an entry on, once the cursor is started. Attaching again begins anew. */
  attach(client: SessionClient, start: CursorStart): Cursor {
    this.#cursors.get(client)?.close();
    const { source, logger } = this.#options;
    const wantsRequest = (frame: string) => this.#isAddressee(client, frame);
    const isPending = (frame: string) => this.#isPending(frame);
    const cursor = new Cursor({ ...start, source, client, wantsRequest, isPending, logger });
    this.#cursors.delete(client);
    this.#cursors.set(client, cursor);
    return cursor;
  }

  /** Stops to follow. A request that only this one could answer is passed to the next. */
  detach(client: SessionClient): void {
    const cursor = this.#cursors.get(client);
    if (cursor === undefined) return;
    cursor.close();
    this.#cursors.delete(client);
    for (const [id, asked] of this.#asked) {
      if (asked !== client) continue;
      this.#asked.delete(id);
      this.#passOn(id);
    }
  }

  /** Whether a request went to this plain client and to nobody else who still follows. */
  wasOnlyAsked(client: SessionClient, requestId: string): boolean {
    return this.#asked.get(requestId) === client && this.clients.every(({ isPlain }) => isPlain);
  }

  /** Passes on entries that were just committed. */
  deliver(firstSeq: number, frames: readonly string[]): void {
    for (const cursor of this.#cursors.values()) cursor.deliver(firstSeq, frames);
  }

  #passOn(id: string): void {
    const pending = this.#options.inbox.find(id);
    const next = this.#plainAddressee();
    if (pending === undefined || next === undefined) return;
    this.#asked.set(id, next);
    next.send(pending.frame);
  }

  #isPending(frame: string): boolean {
    return this.#options.inbox.find(readFrame(frame).id ?? "") !== undefined;
  }

  #isAddressee(client: SessionClient, frame: string): boolean {
    if (!client.isPlain) return true;
    const { id = "" } = readFrame(frame);
    // Answered meanwhile: a plain client would answer it again.
    if (this.#options.inbox.find(id) === undefined) {
      this.#asked.delete(id);
      return false;
    }
    const asked = this.#asked.get(id) ?? this.#plainAddressee();
    if (asked === undefined) return false;
    this.#asked.set(id, asked);
    return asked === client;
  }

  #plainAddressee(): SessionClient | undefined {
    const starter = this.#options.turns().active?.starter;
    if (starter?.isPlain && this.#cursors.has(starter)) return starter;
    const clients = this.clients;
    return clients.some(({ isPlain }) => !isPlain) ? undefined : clients.at(-1);
  }
}
