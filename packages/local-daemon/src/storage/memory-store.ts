import type { SessionId, SessionMessage } from "@daemon-sdk/protocol";
import { MemoryRelay } from "./memory-relay.js";
import {
  byOrdinal,
  byText,
  bytesOf,
  copy,
  dropRows,
  endOf,
  forgetMoved,
  isDropped,
  isOpen,
  type SessionShelf,
} from "./memory-shelf.js";
import { MessagePage } from "./message-page.js";
import type { SegmentQuery } from "./relay-rows.js";
import type { MoveChange, MovingSession, SessionRow } from "./session-rows.js";
import type {
  AgentProcessRow,
  FrameRun,
  JournalBounds,
  MessagePageQuery,
  MessageRun,
  MessageRunQuery,
  NumberedMessages,
  OldestQuery,
  PendingRequestRow,
  SegmentInfo,
  SessionPageQuery,
  Store,
  StoreWrite,
  TurnRow,
} from "./store.js";

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
    const rows = this.#newestFirst(query.owner).filter(({ row }) => row.updatedAt < before);
    const last = rows[query.limit - 1]?.row.updatedAt ?? 0;
    return rows
      .filter(({ row }) => row.updatedAt >= last)
      .map(({ row, messages }) => ({ ...copy(row), messagesCount: messages.size }));
  }

  async oldestSessions(query: OldestQuery): Promise<readonly SessionRow[]> {
    const { archived, before = Number.MAX_SAFE_INTEGER, owner, after, limit = 64 } = query;
    const dated = this.#newestFirst(owner).flatMap(({ row }) => {
      const at = archived ? row.archivedAt : row.updatedAt;
      return at === undefined || at >= before ? [] : [{ at, row }];
    });
    const isBehind = ({ at, row }: { at: number; row: SessionRow }) =>
      after === undefined || at > after.at || (at === after.at && byText(row.id, after.id) > 0);
    return dated
      .filter(isBehind)
      .sort((a, b) => a.at - b.at || byText(a.row.id, b.row.id))
      .slice(0, limit)
      .map(({ row }) => copy(row));
  }

  async countSessions(owner: string): Promise<number> {
    return this.#newestFirst(owner).length;
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
    const shelved = [...(this.#shelves.get(id)?.messages ?? [])];
    const from = shelved.findIndex(([known]) => known === messageId);
    const messages: SessionMessage[] = [];
    let bytes = 0;
    for (const [, { text }] of from < 0 ? [] : shelved.slice(from)) {
      bytes += Buffer.byteLength(text);
      if (messages.length > 0 && bytes > maxBytes) break;
      messages.push(JSON.parse(text) as SessionMessage);
    }
    return messages;
  }

  async readMessageRun(id: SessionId, { after, limit, maxBytes }: MessageRunQuery): Promise<NumberedMessages> {
    const messages: { no: number; message: SessionMessage }[] = [];
    let bytes = 0;
    for (const { no, text } of this.#shelves.get(id)?.messages.values() ?? []) {
      if (no <= after) continue;
      bytes += Buffer.byteLength(text);
      if (messages.length === limit || (messages.length > 0 && bytes > maxBytes)) break;
      messages.push({ no, message: JSON.parse(text) as SessionMessage });
    }
    return { messages, lastNo: messages.at(-1)?.no ?? after };
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

  async readFrames(id: SessionId, fromSeq: number, maxBytes: number, maxFrames = Infinity): Promise<FrameRun> {
    const frames: string[] = [];
    let firstSeq = fromSeq;
    let bytes = 0;
    for (const segment of this.#shelves.get(id)?.segments ?? []) {
      if (endOf(segment) < fromSeq) continue;
      if (frames.length === 0) firstSeq = Math.max(fromSeq, segment.firstSeq);
      else if (segment.firstSeq !== firstSeq + frames.length) break;
      frames.push(...segment.frames.slice(Math.max(0, fromSeq - segment.firstSeq)));
      bytes += bytesOf(segment);
      if (bytes >= maxBytes || frames.length >= maxFrames) break;
    }
    return { firstSeq, frames };
  }

  async journalSegments(id: SessionId, beforeSeq: number, limit: number): Promise<readonly SegmentInfo[]> {
    const segments = this.#shelves.get(id)?.segments ?? [];
    return segments
      .filter((segment) => endOf(segment) < beforeSeq)
      .slice(-limit)
      .map((segment) => ({
        epoch: segment.epoch,
        firstSeq: segment.firstSeq,
        lastSeq: endOf(segment),
        bytes: bytesOf(segment),
        createdAt: segment.createdAt,
      }))
      .reverse();
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
        Object.assign(this.#shelf(write.row.id), { row: copy(write.row), draft: undefined, moving: undefined });
        break;
      case "move":
        this.#move(write.change);
        break;
      case "draft":
        this.#shelf(write.row.id).draft = copy(write.row);
        break;
      case "deleteSession":
      case "dropDraft":
        this.#drop(write);
        break;
      case "segment":
        this.#shelf(write.row.sessionId).segments.push(copy(write.row));
        break;
      case "message":
      case "retractMessage":
        this.#putMessage(write);
        break;
      case "turn":
      case "promptPart":
        this.#putTurn(write);
        break;
      case "request":
        this.#requests.set(write.row.id, copy(write.row));
        break;
      case "agentProcess":
      case "agentProcessGone":
        this.#noteProcess(write);
        break;
      case "pruneJournal":
        this.#prune(write.sessionId, write.beforeSeq);
        break;
      default:
        this.#relay.apply(write);
    }
  }

  #noteProcess(write: Extract<StoreWrite, { kind: "agentProcess" | "agentProcessGone" }>): void {
    if (write.kind === "agentProcessGone") this.#processes.delete(write.pid);
    else this.#processes.set(write.row.pid, copy(write.row));
  }

  #move(change: MoveChange): void {
    if (change.kind === "raiseEpoch") this.#epoch = Math.max(this.#epoch, change.epoch);
    else if (change.kind === "forgetMoved") forgetMoved(this.#shelves, change.before);
    else {
      const { kind: state, ...moving } = copy(change);
      const id = change.kind === "arriving" ? change.row.id : change.mark.sessionId;
      Object.assign(this.#shelf(id), { row: undefined, draft: undefined, moving: { state, ...moving } });
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
  }

  #dropDraft(sessionId: SessionId, rows: number): void {
    const shelf = this.#shelves.get(sessionId);
    if (shelf === undefined || !isDropped(shelf)) return;
    if (dropRows(shelf, this.#requests, sessionId, rows) > 0 && shelf.moving === undefined)
      this.#shelves.delete(sessionId);
  }

  #putMessage(write: Extract<StoreWrite, { kind: "message" | "retractMessage" }>): void {
    const { messages } = this.#shelf(write.sessionId);
    if (write.kind === "retractMessage") {
      messages.delete(write.messageId);
      return;
    }
    const { message } = write;
    const no = messages.get(message.id)?.no ?? ++this.#messageNo;
    messages.set(message.id, { no, text: JSON.stringify(message) });
  }

  #prune(sessionId: SessionId, beforeSeq: number): void {
    const shelf = this.#shelf(sessionId);
    shelf.segments = shelf.segments.filter(
      (segment, index, all) => endOf(segment) >= beforeSeq || index === all.length - 1,
    );
  }

  #newestFirst(owner: string | undefined): (SessionShelf & { row: SessionRow })[] {
    const known = [...this.#shelves.values()].filter(
      (shelf): shelf is SessionShelf & { row: SessionRow } =>
        shelf.row !== undefined && (owner === undefined || shelf.row.owner === owner),
    );
    return known.sort((a, b) => b.row.updatedAt - a.row.updatedAt || byText(a.row.id, b.row.id));
  }

  #putTurn(write: Extract<StoreWrite, { kind: "turn" | "promptPart" }>): void {
    if (write.kind === "turn") {
      const { turns, prompts } = this.#shelf(write.row.sessionId);
      turns.set(write.row.id, copy(write.row));
      if (write.prompt !== undefined) prompts.set(write.row.id, write.prompt);
      return;
    }
    const { sessionId, id, part, bytes } = write;
    const { promptParts } = this.#shelf(sessionId);
    promptParts.set(id, [...(part === 0 ? [] : (promptParts.get(id) ?? [])), bytes.slice()]);
  }

  #shelf(id: SessionId): SessionShelf {
    const known = this.#shelves.get(id);
    if (known !== undefined) return known;
    const shelf: SessionShelf = {
      row: undefined,
      segments: [],
      messages: new Map(),
      turns: new Map(),
      prompts: new Map(),
      promptParts: new Map(),
    };
    this.#shelves.set(id, shelf);
    return shelf;
  }
}
