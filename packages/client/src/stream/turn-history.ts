import { type GetTurnEventsResult, METHODS, type Position, type TurnEntry } from "@daemon-sdk/protocol";
import type { ConnectionCalls } from "../connection/index.js";
import { patientCall } from "./patient-call.js";

/** Where a turn stands in the journal of its session. */
export interface TurnPlace {
  /** The position before its first entry; for a message that waits, the end of the journal. */
  readonly begin: Position;
  /** The number of its last entry; undefined while it runs or waits. */
  readonly lastSeq: number | undefined;
}

/** Reads what the daemon has of one turn. */
export class TurnHistory {
  readonly #calls: ConnectionCalls;
  readonly #sessionId: string;
  readonly #turnId: string;
  readonly #signal: AbortSignal;

  constructor(calls: ConnectionCalls, sessionId: string, turnId: string, signal: AbortSignal) {
    this.#calls = calls;
    this.#sessionId = sessionId;
    this.#turnId = turnId;
    this.#signal = signal;
  }

  /** Where the turn stands; undefined for a message that the daemon does not know. */
  async place(): Promise<TurnPlace | undefined> {
    // Before the turn is read: one that has not begun then begins after this.
    const params = { sessionId: this.#sessionId };
    const { position: end } = await patientCall(this.#calls, METHODS.getSessionEvents, params, this.#signal);
    const { receipt, events } = await this.#page(undefined);
    const { state, firstSeq, lastSeq, endedAt } = receipt;
    if (state === "unknown") return undefined;
    const epoch = events[0]?.epoch ?? end.epoch;
    // A turn of which no entry is left has its receipt only.
    const last = lastSeq ?? (endedAt === undefined ? undefined : end.seq);
    const first = firstSeq ?? last ?? end.seq + 1;
    return { begin: { epoch, seq: first - 1 }, lastSeq: last };
  }

  /** The entries of the turn before that number, oldest first; those that the daemon still has. Returns whether there were some. */
  async before(seq: number, take: (entry: TurnEntry) => void): Promise<boolean> {
    for (let from: number | undefined, isFirst = true; ; isFirst = false) {
      const { receipt, events, nextSeq } = await this.#page(from);
      for (const entry of events) if (entry.seq < seq) take(entry);
      if (nextSeq === undefined || nextSeq >= seq) return isFirst ? (receipt.firstSeq ?? seq) < seq : true;
      from = nextSeq;
    }
  }

  #page(fromSeq: number | undefined): Promise<GetTurnEventsResult> {
    const params = { sessionId: this.#sessionId, messageId: this.#turnId, ...(fromSeq !== undefined && { fromSeq }) };
    return patientCall(this.#calls, METHODS.getTurnEvents, params, this.#signal);
  }
}
