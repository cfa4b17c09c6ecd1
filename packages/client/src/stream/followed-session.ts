import {
  ConnectionError,
  type GetSessionEventsResult,
  METHODS,
  MessageBridge,
  type Position,
  type SessionEntry,
} from "@daemon-sdk/protocol";
import type { ConnectionCalls } from "../connection/index.js";
import { type EventPosition, placed } from "./event-position.js";
import type { BridgedEvent, FollowedEvent, GapEvent, ResultEvent, SessionFollow } from "./events.js";
import { FollowedTurn } from "./followed-turn.js";
import { patientCall, WAIT_MS } from "./patient-call.js";
import { TurnHistory, type TurnPlace } from "./turn-history.js";

/** What a {@link FollowedSession} is made of. */
export interface FollowParts {
  readonly calls: ConnectionCalls;
  readonly sessionId: string;
  /** The events after this position; undefined: those from now on. */
  readonly after: EventPosition | undefined;
  /** Only the events of this turn, up to its result. */
  readonly turnId: string | undefined;
  readonly includePartialMessages: boolean;
  /** Each of them ends the iteration. */
  readonly signals: readonly AbortSignal[];
}

type Result = IteratorResult<FollowedEvent, undefined>;

const DONE: Result = { value: undefined, done: true };

/**
 * The events of one session, of all turns, replayed and live.
 *
 * The daemon is asked for the entries after a position, and waits where there are none. So what was before and what is new come by
 * the same call, and a lost link is only a call that is repeated. A page is requested when the last one was consumed: a slow
 * consumer holds one page.
 */
export class FollowedSession implements SessionFollow {
  readonly #parts: FollowParts;
  readonly #ending = new AbortController();
  readonly #end = (): void => this.#ending.abort();
  readonly begin: Promise<EventPosition>;
  /** Where the next page begins; undefined until the first one. */
  #after: Position | undefined;
  /** Events of the first entry that were consumed before. */
  #skipped = 0;
  #entries: readonly SessionEntry[] = [];
  #nextEntry = 0;
  #events: FollowedEvent[] = [];
  #nextEvent = 0;
  #turn: FollowedTurn | undefined;
  /** The last turn that has ended: the entries after its end are of no collector. */
  #endedTurnId: string | undefined;
  /** Whether the next turn may have entries before those that were read. */
  #mayBeInside = true;
  /** With `turnId`: the last entry that may be of that turn, once it is known. */
  #lastSeq: number | undefined;
  /** Turns whose entries stand among those of another one: messages that were discarded while they waited. */
  readonly #outerTurns: FollowedTurn[] = [];
  /** The events of an entry that ended its turn, while its result is made. */
  #making: Promise<FollowedEvent[]> | undefined;
  /** Calls of `next()` that wait. */
  #waiting = 0;
  /** The last `next()`. They are served one after another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: FollowParts) {
    this.#parts = parts;
    const { after, turnId } = parts;
    // Now, and not at the first `next()`: what is sent after this belongs to what is followed.
    if (turnId !== undefined) this.begin = this.#beginOf(turnId, after);
    else this.begin = after === undefined ? this.#endOfJournal() : Promise.resolve(after);
    // Without a consumer nobody has to be notified of a failure.
    this.begin.catch(() => {});
    for (const signal of parts.signals) {
      if (signal.aborted) this.#end();
      else signal.addEventListener("abort", this.#end, { once: true });
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    // A promise that waits for nothing: most events of a page are had at once.
    const ready = this.#waiting === 0 ? this.#ready() : undefined;
    if (ready !== undefined) return Promise.resolve({ value: ready, done: false });
    this.#waiting += 1;
    const result = this.#last.then(() => this.#next());
    this.#last = result
      .catch(() => {})
      .then(() => {
        this.#waiting -= 1;
      });
    return result;
  }

  /** The next event, where nothing has to be waited for. */
  #ready(): FollowedEvent | undefined {
    while (!this.#hasEnded) {
      const event = this.#events[this.#nextEvent];
      if (event !== undefined) {
        this.#nextEvent += 1;
        if (this.#isWanted(event)) return event;
      } else if (!this.#makeNow()) return undefined;
    }
    return undefined;
  }

  /** Makes events of the next entry, if it is one of the present turn. False when that takes time, or there is none. */
  #makeNow(): boolean {
    const entry = this.#entries[this.#nextEntry];
    const turn = this.#turn;
    if (this.#making !== undefined || turn === undefined || entry?.turnId !== turn.turnId) return false;
    this.#nextEntry += 1;
    this.#nextEvent = 0;
    const made = turn.take(entry.notification);
    this.#events = Array.isArray(made) ? this.#placed(entry, made) : [];
    if (Array.isArray(made)) return true;
    this.#making = this.#endedTurn(entry, turn, made);
    // Where the iteration ends meanwhile, nobody waits for it.
    this.#making.catch(() => {});
    return false;
  }

  async return(): Promise<Result> {
    this.#finish();
    return DONE;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish();
  }

  get #hasEnded(): boolean {
    return this.#ending.signal.aborted;
  }

  #finish(): void {
    this.#end();
    for (const signal of this.#parts.signals) signal.removeEventListener("abort", this.#end);
  }

  async #next(): Promise<Result> {
    try {
      while (!this.#hasEnded) {
        const event = this.#events[this.#nextEvent++];
        if (event === undefined) await this.#fill();
        else if (this.#isWanted(event)) return { value: event, done: false };
      }
    } catch (error) {
      // What the program has ended itself is no failure.
      const wasEnded = this.#hasEnded || ConnectionError.is(error, "CONNECTION_CLOSED");
      this.#finish();
      if (!wasEnded) throw error;
    }
    this.#finish();
    return DONE;
  }

  #isWanted({ type, turnId }: FollowedEvent): boolean {
    const { turnId: only } = this.#parts;
    if (only === undefined || type === "gap") return true;
    if (turnId === only && type === "result") this.#finish();
    return turnId === only;
  }

  async #endOfJournal(): Promise<Position> {
    const { calls, sessionId } = this.#parts;
    const { signal } = this.#ending;
    return (await calls.request(METHODS.getSessionEvents, { sessionId }, { signal })).position;
  }

  async #beginOf(turnId: string, after: EventPosition | undefined): Promise<EventPosition> {
    const place = await this.#placeOf(turnId);
    return after ?? place?.begin ?? this.#endOfJournal();
  }

  /** Looks where the turn stands. Of a message that the daemon does not know, no entry is to come. */
  async #placeOf(turnId: string): Promise<TurnPlace | undefined> {
    const place = await this.#historyOf(turnId).place();
    this.#lastSeq = place === undefined ? 0 : place.lastSeq;
    return place;
  }

  #historyOf(turnId: string): TurnHistory {
    const { calls, sessionId } = this.#parts;
    return new TurnHistory(calls, sessionId, turnId, this.#ending.signal);
  }

  /** Makes events of the next entry; reads the next page when there is none. */
  async #fill(): Promise<void> {
    if (this.#making !== undefined) {
      this.#events = await this.#making;
      this.#making = undefined;
      this.#nextEvent = 0;
      return;
    }
    const entry = this.#entries[this.#nextEntry++];
    this.#nextEvent = 0;
    this.#events = entry === undefined ? await this.#readPage() : await this.#eventsOf(entry);
  }

  /** Reads a page of entries. Returns the gap before it, if there is one. */
  async #readPage(): Promise<FollowedEvent[]> {
    const { calls, sessionId } = this.#parts;
    const after = this.#after ?? (await this.#start());
    if (this.#lastSeq !== undefined && after.seq >= this.#lastSeq) this.#finish();
    if (this.#hasEnded) return [];
    const params = { sessionId, after, waitMs: WAIT_MS, includeRequests: true, runs: true };
    const page = await patientCall(calls, METHODS.getSessionEvents, params, this.#ending.signal);
    this.#entries = entriesOf(page);
    this.#nextEntry = 0;
    this.#after = { epoch: page.position.epoch, seq: page.position.seq };
    const [first] = this.#entries;
    if (first !== undefined && first.seq !== after.seq + 1) this.#skipped = 0;
    if (page.isIncomplete !== true) return [];
    this.#turn = undefined;
    this.#outerTurns.length = 0;
    this.#mayBeInside = true;
    // The end of the turn may be among what is missing.
    const { turnId } = this.#parts;
    if (turnId !== undefined) await this.#placeOf(turnId);
    const before = first === undefined ? this.#after : { epoch: first.epoch, seq: first.seq - 1 };
    const to = first === undefined ? {} : { to: { epoch: first.epoch, seq: first.seq } };
    const gap: GapEvent = { type: "gap", reason: "too-old", from: after, ...to };
    return [{ ...gap, position: before }];
  }

  async #start(): Promise<Position> {
    const { epoch, seq, part = 0 } = await this.begin;
    this.#skipped = part;
    return { epoch, seq };
  }

  async #eventsOf(entry: SessionEntry): Promise<FollowedEvent[]> {
    const { turnId, notification, seq } = entry;
    const turn = await this.#turnOf(turnId, seq);
    if (turn === undefined) {
      const bridge = new MessageBridge({ includePartialMessages: this.#parts.includePartialMessages });
      return this.#placed(entry, bridge.push(notification));
    }
    const made = turn.take(notification);
    return Array.isArray(made) ? this.#placed(entry, made) : this.#endedTurn(entry, turn, made);
  }

  async #endedTurn(
    entry: SessionEntry,
    turn: FollowedTurn,
    made: Promise<(BridgedEvent | ResultEvent)[]>,
  ): Promise<FollowedEvent[]> {
    const events = await made;
    this.#leave(turn);
    return this.#placed(entry, events);
  }

  #placed({ turnId, epoch, seq }: SessionEntry, made: readonly (BridgedEvent | ResultEvent)[]): FollowedEvent[] {
    const skipped = this.#skipped;
    this.#skipped = 0;
    const events = made.map((event, index) => {
      const part = index === made.length - 1 ? undefined : index + 1;
      const own = placed(event as FollowedEvent, { epoch, seq }, part);
      if (turnId !== undefined) own.turnId = turnId;
      return own as FollowedEvent;
    });
    return skipped === 0 ? events : events.slice(skipped);
  }

  async #turnOf(turnId: string | undefined, seq: number): Promise<FollowedTurn | undefined> {
    if (turnId === undefined) this.#mayBeInside = false;
    if (turnId === undefined || turnId === this.#endedTurnId) return undefined;
    if (this.#turn?.turnId === turnId) return this.#turn;
    if (this.#turn !== undefined) this.#outerTurns.push(this.#turn);
    const { calls, sessionId, includePartialMessages } = this.#parts;
    const readAnswer = async () => {
      const params = { sessionId, messageIds: [turnId] };
      return (await patientCall(calls, METHODS.getReceipts, params, this.#ending.signal)).receipts[0]?.text;
    };
    const turn = new FollowedTurn({ sessionId, turnId, includePartialMessages, readAnswer });
    this.#turn = turn;
    // So that an event is the same from wherever it is read: the name of a tool, for one, is in an earlier entry.
    if (this.#mayBeInside)
      this.#mayBeInside = await this.#historyOf(turnId).before(seq, ({ notification }) => turn.recall(notification));
    return turn;
  }

  #leave(turn: FollowedTurn | undefined): void {
    this.#endedTurnId = turn?.turnId;
    this.#turn = this.#outerTurns.pop();
  }
}

function entriesOf({ events, runs = [] }: GetSessionEventsResult): SessionEntry[] {
  const entries = [...events];
  for (const { epoch, seq, turnId, notifications } of runs) {
    for (const [index, notification] of notifications.entries()) {
      entries.push({ epoch, seq: seq + index, ...(turnId !== undefined && { turnId }), notification });
    }
  }
  return entries;
}
