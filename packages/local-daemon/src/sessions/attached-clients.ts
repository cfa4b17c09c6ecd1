import type { Logger } from "@daemon-sdk/protocol";
import type { Addressees, Inbox } from "../inbox/index.js";
import { Cursor, type CursorStart, type JournalReader, type SessionLog } from "../journal/index.js";

/** Options of {@link AttachedClients}. */
export interface SubscribersOptions {
  readonly log: SessionLog;
  readonly services: { readonly inbox: Pick<Inbox, "find">; readonly logger: Logger };
  readonly session: AttachedSession;
}

/** The session of clients. */
export interface AttachedSession {
  /** The client whose prompt runs. It receives requests first. */
  starter(): JournalReader | undefined;
  /** A client was attached: entries that are added now are the first ones that it gets. */
  onAttached(): void;
}

/**
 * The clients attached to one session, each with a cursor in the session's log, and the recipients of each request.
 *
 * Every client gets every notification. A request goes to every client that uses our extensions, and to at most one plain
 * client, which may cancel it at once: the one that started the turn; else the latest, when all are plain.
 */
export class AttachedClients implements Addressees {
  readonly #options: SubscribersOptions;
  /** The plain client that a request was sent to; made with the first. */
  #asked: Map<string, JournalReader> | undefined;

  constructor(options: SubscribersOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#options.log.cursors.size;
  }

  /** The cursor of an attached client. */
  cursorOf(client: JournalReader): Cursor | undefined {
    return this.#options.log.cursors.get(client);
  }

  /** Attaches a client from an entry on. The caller starts the cursor. A repeated call replaces the cursor. */
  attach(client: JournalReader, start: CursorStart): Cursor {
    const { log, services } = this.#options;
    const { logger } = services;
    log.cursors.get(client)?.close();
    const wantsRequest = (id: string) => this.#isAddressee(client, id);
    const isPending = (id: string) => log.state.isPending(id);
    const cursor = new Cursor({ ...start, source: log, client, wantsRequest, isPending, logger });
    log.cursors.delete(client);
    log.cursors.set(client, cursor);
    this.#options.session.onAttached();
    return cursor;
  }

  /** Detaches a client. A request that only this one could answer is passed to the next. */
  detach(client: JournalReader): void {
    const { cursors } = this.#options.log;
    const cursor = cursors.get(client);
    if (cursor === undefined) return;
    cursor.close();
    cursors.delete(client);
    for (const [id, asked] of this.#asked ?? []) {
      if (asked !== client) continue;
      this.#asked?.delete(id);
      this.#passOn(id);
    }
  }

  /** Detaches every client. */
  detachAll(): void {
    for (const client of this.#clients) this.detach(client);
  }

  /** Whether a request was sent to this plain client and to no other attached one. */
  isOnlyAsked(client: JournalReader, requestId: string): boolean {
    return this.#asked?.get(requestId) === client && this.#clients.every(({ isPlain }) => isPlain);
  }

  get #clients(): JournalReader[] {
    return [...this.#options.log.cursors.keys()];
  }

  #passOn(id: string): void {
    const pending = this.#options.services.inbox.find(id);
    const next = this.#plainAddressee();
    if (pending === undefined || next === undefined) return;
    this.#ask(id, next);
    next.sink.send(pending.frame);
  }

  #isAddressee(client: JournalReader, id: string): boolean {
    if (!client.isPlain) return true;
    // Resolved meanwhile: a plain client would answer it again.
    if (!this.#options.log.state.isPending(id)) {
      this.#asked?.delete(id);
      return false;
    }
    const asked = this.#asked?.get(id) ?? this.#plainAddressee();
    if (asked === undefined) return false;
    this.#ask(id, asked);
    return asked === client;
  }

  #ask(id: string, client: JournalReader): void {
    this.#asked ??= new Map();
    this.#asked.set(id, client);
  }

  #plainAddressee(): JournalReader | undefined {
    const starter = this.#options.session.starter();
    if (starter?.isPlain && this.#options.log.cursors.has(starter)) return starter;
    const clients = this.#clients;
    return clients.some(({ isPlain }) => !isPlain) ? undefined : clients.at(-1);
  }
}
