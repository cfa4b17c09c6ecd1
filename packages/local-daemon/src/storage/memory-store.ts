import type { SessionId, SessionMessage } from "@daemon-sdk/protocol";
import {
  byOrdinal,
  byText,
  bytesOf,
  copy,
  dropRows,
  emptyShelf,
  endOf,
  entriesOf,
  isDropped,
  isOpen,
  MemoryBytes,
  messagesOf,
  newestFirst,
  oldestOf,
  pruneSegments,
  putMessage,
  putPromptPart,
  putTurn,
  rowBytes,
  type SessionShelf,
  segmentsOf,
  shelfBytes,
  storedRow,
} from "./memory-shelf.js";
import { MessagePage, messageRun } from "./message-page.js";
import { MemoryRelay, type RelayWrite, type SegmentQuery } from "./relay/index.js";
import type {
  AgentProcessRow,
  EntryRun,
  JournalBounds,
  MessagePageQuery,
  MessageRun,
  MessageRunQuery,
  MovingSession,
  NumberedMessages,
  OldestQuery,
  PendingRequestRow,
  SegmentInfo,
  SegmentRow,
  SessionPageQuery,
  SessionRow,
  Store,
  StoreWrite,
  TurnRow,
} from "./store.js";

type MoveWrite = Extract<StoreWrite, { kind: "arriving" | "moved" | "forgetMoved" | "raiseEpoch" }>;

/**
 * The {@link Store} in memory: for tests, and for daemons whose sessions need not survive them.
 *
 * Keeps what it was given across `close` and `open`, so that a test can restart a daemon on it. Rows go in and come out as
 * copies, as with a real store.
 */
export class MemoryStore implements Store {
  readonly #shelves = new Map<SessionId, SessionShelf>();
  readonly #requests = new Map<string, PendingRequestRow>();
  readonly #processes = new Map<number, AgentProcessRow>();
  readonly #relay = new MemoryRelay();
  readonly storedBytes = new MemoryBytes((id) => this.#shelves.get(id)?.bytes ?? 0);
  readonly #now: () => number;
  #epoch = 0;
  #messageNo = 0;

  /** @param options.now wall clock in ms, for the epoch; default `Date.now` */
  constructor(options: { now?: () => number } = {}) {
    this.#now = options.now ?? Date.now;
  }

  async open(): Promise<{ epoch: number }> {
    this.#epoch = Math.max(this.#epoch + 1, Math.floor(this.#now() / 1000));
    return { epoch: this.#epoch };
  }

  async close(): Promise<void> {}

  async commit(writes: readonly StoreWrite[]): Promise<void> {
    for (const write of writes) this.#apply(write);
  }

  async readSession(id: SessionId): Promise<SessionRow | undefined> {
    return copy(this.#shelves.get(id)?.row);
  }

  async listSessions(query: SessionPageQuery): Promise<readonly (SessionRow & { messagesCount: number })[]> {
    const before = query.updatedBefore ?? Number.MAX_SAFE_INTEGER;
    const rows = newestFirst(this.#shelves.values(), query.owner).filter(({ row }) => row.updatedAt < before);
    const last = rows[query.limit - 1]?.row.updatedAt ?? 0;
    return rows
      .filter(({ row }) => row.updatedAt >= last)
      .map(({ row, messages }) => ({ ...copy(row), messagesCount: messages.size }));
  }

  async oldestSessions(query: OldestQuery): Promise<readonly SessionRow[]> {
    return oldestOf(newestFirst(this.#shelves.values(), query.owner), query);
  }

  async countSessions(owner: string): Promise<number> {
    return newestFirst(this.#shelves.values(), owner).length;
  }

  async readMessages(id: SessionId, query: MessagePageQuery): Promise<MessageRun> {
    const before = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(query.cursor);
    const page = new MessagePage(query);
    for (const { no, text } of [...(this.#shelves.get(id)?.messages.values() ?? [])].reverse()) {
      const parse = () => JSON.parse(text) as SessionMessage;
      const isMeant = query.role === undefined || parse().role === query.role;
      if (no < before && isMeant && !page.add(no, text, parse)) break;
    }
    return page.result();
  }

  async readMessage(id: SessionId, messageId: string): Promise<SessionMessage | undefined> {
    const text = this.#shelves.get(id)?.messages.get(messageId)?.text;
    return text === undefined ? undefined : (JSON.parse(text) as SessionMessage);
  }

  async readMessagesFrom(id: SessionId, messageId: string, maxBytes: number): Promise<readonly SessionMessage[]> {
    const shelf = this.#shelves.get(id);
    const from = shelf?.messages.get(messageId)?.no ?? Number.POSITIVE_INFINITY;
    const query = { after: from - 1, limit: Number.POSITIVE_INFINITY, maxBytes };
    return messageRun(messagesOf(shelf), query).messages.map(({ message }) => message);
  }

  async readMessageRun(id: SessionId, query: MessageRunQuery): Promise<NumberedMessages> {
    return messageRun(messagesOf(this.#shelves.get(id)), query);
  }

  async newestMessage(id: SessionId): Promise<number> {
    return Math.max(0, ...[...(this.#shelves.get(id)?.messages.values() ?? [])].map(({ no }) => no));
  }

  async drafts(): Promise<readonly SessionId[]> {
    return [...this.#shelves].flatMap(([id, shelf]) => (isDropped(shelf) ? [id] : [])).sort(byText);
  }

  async arrivingSessions(): Promise<readonly SessionId[]> {
    const ids = [...this.#shelves].flatMap(([id, { moving }]) => (moving?.state === "arriving" ? [id] : []));
    return ids.sort(byText);
  }

  async readMoving(id: SessionId): Promise<MovingSession | undefined> {
    return copy(this.#shelves.get(id)?.moving);
  }

  async countMessages(id: SessionId): Promise<number> {
    return this.#shelves.get(id)?.messages.size ?? 0;
  }

  async journalBounds(id: SessionId): Promise<JournalBounds> {
    const segments = this.#shelves.get(id)?.segments ?? [];
    const first = segments[0];
    const last = segments.at(-1);
    if (first === undefined || last === undefined) return { firstSeq: 1, lastSeq: 0, lastPosition: undefined };
    const lastSeq = endOf(last);
    return { firstSeq: first.firstSeq, lastSeq, lastPosition: { epoch: last.epoch, seq: lastSeq } };
  }

  async readEntries(id: SessionId, fromSeq: number, maxBytes: number, maxEntries = Infinity): Promise<EntryRun> {
    return entriesOf(this.#shelves.get(id), fromSeq, maxBytes, maxEntries);
  }

  async journalSegments(id: SessionId, beforeSeq: number, limit: number): Promise<readonly SegmentInfo[]> {
    return segmentsOf(this.#shelves.get(id), beforeSeq, limit);
  }

  async readTurn(sessionId: SessionId, id: string): Promise<TurnRow | undefined> {
    return copy(this.#shelves.get(sessionId)?.turns.get(id));
  }

  async readPrompt(sessionId: SessionId, id: string): Promise<string | undefined> {
    return this.#shelves.get(sessionId)?.prompts.get(id);
  }

  async readPromptParts(sessionId: SessionId, id: string): Promise<readonly Uint8Array[]> {
    return [...(this.#shelves.get(sessionId)?.promptParts.get(id) ?? [])];
  }

  async openTurns(sessionId?: SessionId): Promise<readonly TurnRow[]> {
    const ids = sessionId === undefined ? [...this.#shelves.keys()] : [sessionId];
    // The order of the ids is the one SQLite gives: by their JSON text.
    return ids
      .sort(byText)
      .filter((id) => this.#isServed(id))
      .flatMap((id) => [...(this.#shelves.get(id)?.turns.values() ?? [])].filter(isOpen).sort(byOrdinal).map(copy));
  }

  async turnsBelow(sessionId: SessionId, ordinal: number, limit: number): Promise<readonly TurnRow[]> {
    const turns = [...(this.#shelves.get(sessionId)?.turns.values() ?? [])].filter((row) => row.ordinal < ordinal);
    return turns
      .sort((a, b) => byOrdinal(b, a))
      .slice(0, limit)
      .map(copy);
  }

  async lastTurnOrdinal(sessionId: SessionId): Promise<number> {
    const turns = this.#shelves.get(sessionId)?.turns.values() ?? [];
    return Math.max(0, ...[...turns].map(({ ordinal }) => ordinal));
  }

  async readRequest(id: string): Promise<PendingRequestRow | undefined> {
    return copy(this.#requests.get(id));
  }

  async requestsOf(sessionId: SessionId): Promise<readonly PendingRequestRow[]> {
    return [...this.#requests.values()].filter((row) => row.sessionId === sessionId).map(copy);
  }

  async pendingRequests(sessionId?: SessionId): Promise<readonly PendingRequestRow[]> {
    const open = [...this.#requests.values()].filter((row) => row.resolvedAt === undefined);
    const pending = open.filter((row) => this.#isServed(row.sessionId));
    return pending.filter((row) => sessionId === undefined || row.sessionId === sessionId).map(copy);
  }

  async agentProcesses(): Promise<readonly AgentProcessRow[]> {
    return [...this.#processes.values()].sort((a, b) => a.pid - b.pid).map(copy);
  }

  mailboxes(): ReturnType<Store["mailboxes"]> {
    return this.#relay.mailboxes();
  }

  readMailbox(address: string, fromPosition: number, maxBytes: number): ReturnType<Store["readMailbox"]> {
    return this.#relay.readMailbox(address, fromPosition, maxBytes);
  }

  mailboxSegments(query: SegmentQuery): ReturnType<Store["mailboxSegments"]> {
    return this.#relay.mailboxSegments(query);
  }

  relayFacts(scope: string): ReturnType<Store["relayFacts"]> {
    return this.#relay.relayFacts(scope);
  }

  #apply(write: StoreWrite): void {
    switch (write.kind) {
      case "session":
      case "draft":
        this.#putSession(write);
        break;
      case "deleteSession":
      case "dropDraft":
        this.#drop(write);
        break;
      case "segment":
        this.#putSegment(write.row);
        break;
      case "message":
        this.#putMessage(write.sessionId, write.message);
        break;
      case "retractMessage":
        this.#retract(write.sessionId, write.messageId);
        break;
      case "turn":
      case "promptPart":
        this.#putTurn(write);
        break;
      case "request":
        this.#putRequest(write.row);
        break;
      case "agentProcess":
      case "agentProcessGone":
        this.#putProcess(write);
        break;
      case "pruneJournal":
        this.#count(write.sessionId, -pruneSegments(this.#shelf(write.sessionId), write.beforeSeq));
        break;
      default:
        this.#applyOther(write);
    }
  }

  #applyOther(write: MoveWrite | RelayWrite): void {
    switch (write.kind) {
      case "arriving":
      case "moved":
      case "forgetMoved":
      case "raiseEpoch":
        this.#move(write);
        break;
      default:
        this.#relay.apply(write);
    }
  }

  #putProcess(write: Extract<StoreWrite, { kind: "agentProcess" | "agentProcessGone" }>): void {
    if (write.kind === "agentProcessGone") this.#processes.delete(write.pid);
    else this.#processes.set(write.row.pid, copy(write.row));
  }

  #putSegment(row: SegmentRow): void {
    this.#shelf(row.sessionId).segments.push(copy(row));
    this.#count(row.sessionId, bytesOf(row));
  }

  #putRequest(row: PendingRequestRow): void {
    this.#count(row.sessionId, rowBytes(row) - rowBytes(this.#requests.get(row.id)));
    this.#requests.set(row.id, copy(row));
  }

  #move(write: MoveWrite): void {
    if (write.kind === "raiseEpoch") this.#epoch = Math.max(this.#epoch, write.epoch);
    else if (write.kind === "arriving") {
      const { row, arrival } = copy(write);
      this.#shelf(row.id).moving = { state: "arriving", row, arrival };
      this.#recount(row.id);
    } else if (write.kind === "moved") {
      const mark = copy(write.mark);
      Object.assign(this.#shelf(mark.sessionId), { row: undefined, moving: { state: "moved", mark } });
      this.#recount(mark.sessionId);
    } else {
      for (const [id, shelf] of this.#shelves) {
        const isOver = shelf.moving?.state === "moved" && shelf.moving.mark.movedAt < write.before;
        if (!isOver || isDropped(shelf)) continue;
        this.#count(id, -shelf.bytes);
        this.#shelves.delete(id);
      }
    }
  }

  #isServed(id: SessionId): boolean {
    return this.#shelves.get(id)?.moving === undefined;
  }

  #drop(write: Extract<StoreWrite, { kind: "deleteSession" | "dropDraft" }>): void {
    const { sessionId } = write;
    const shelf = this.#shelves.get(sessionId);
    if (write.kind === "dropDraft") this.#dropDraft(sessionId, write.rows);
    else if (shelf?.row !== undefined) Object.assign(shelf, { row: undefined, draft: shelf.row });
    else if (shelf?.moving?.state === "arriving") Object.assign(shelf, { moving: undefined, draft: shelf.moving.row });
    if (shelf !== undefined && write.kind === "deleteSession") this.#recount(sessionId);
  }

  #dropDraft(sessionId: SessionId, rows: number): void {
    const shelf = this.#shelves.get(sessionId);
    if (shelf === undefined || !isDropped(shelf)) return;
    const left = dropRows(shelf, this.#requests, sessionId, rows);
    if (left > 0) shelf.draft = undefined;
    this.#recount(sessionId);
    if (left > 0 && shelf.moving === undefined) this.#shelves.delete(sessionId);
  }

  #putSession({ kind, row }: Extract<StoreWrite, { kind: "session" | "draft" }>): void {
    const shelf = this.#shelf(row.id);
    const old = rowBytes(storedRow(shelf));
    const session = { row: copy(row), draft: undefined, moving: undefined };
    Object.assign(shelf, kind === "draft" ? { draft: copy(row) } : session);
    this.#count(row.id, rowBytes(row) - old);
  }

  /** After a change of a session whose bytes were not counted one by one. */
  #recount(sessionId: SessionId): void {
    const shelf = this.#shelf(sessionId);
    const requests = [...this.#requests.values()].filter((row) => row.sessionId === sessionId);
    this.#count(sessionId, shelfBytes(shelf, requests) - shelf.bytes);
  }

  #putMessage(sessionId: SessionId, message: SessionMessage): void {
    const shelf = this.#shelf(sessionId);
    if (!shelf.messages.has(message.id)) this.#messageNo++;
    this.#count(sessionId, putMessage(shelf, message, this.#messageNo));
  }

  #retract(sessionId: SessionId, messageId: string): void {
    const messages = this.#shelves.get(sessionId)?.messages;
    const old = messages?.get(messageId);
    if (messages?.delete(messageId)) this.#count(sessionId, -Buffer.byteLength(old?.text ?? ""));
  }

  /** Something of a session takes so many bytes more. */
  #count(sessionId: SessionId, bytes: number): void {
    const shelf = this.#shelf(sessionId);
    shelf.bytes += bytes;
    this.storedBytes.count(shelf);
  }

  #putTurn(write: Extract<StoreWrite, { kind: "turn" | "promptPart" }>): void {
    if (write.kind === "turn") {
      const { row, prompt } = write;
      this.#count(row.sessionId, putTurn(this.#shelf(row.sessionId), row, prompt));
      return;
    }
    const { sessionId, id, part, bytes } = write;
    this.#count(sessionId, putPromptPart(this.#shelf(sessionId), id, part, bytes));
  }

  #shelf(id: SessionId): SessionShelf {
    const known = this.#shelves.get(id);
    if (known !== undefined) return known;
    const shelf = emptyShelf();
    this.#shelves.set(id, shelf);
    return shelf;
  }
}
