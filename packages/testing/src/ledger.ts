import { comparePositions, type Position } from "@daemon-sdk/protocol";

/** Options of {@link Ledger}. */
export interface LedgerOptions {
  /** Seed of the run's faults. Each line of {@link Ledger.verify} contains it, so that a failure can be reproduced. */
  readonly seed?: number;
}

/** The fields of an event that a ledger needs. */
export interface LedgerEvent {
  readonly type: string;
  /** With the type `agent_turn_completed`: the message whose turn ended. */
  readonly turnId?: unknown;
  readonly reason?: unknown;
  readonly [key: string]: unknown;
}

/** The record of one client. */
export interface LedgerClient {
  /**
   * Records an event that the consumer of a session received. Without a position (from a plain daemon) the event counts for
   * the end of turns only. Do not record early copies: the entry itself follows.
   */
  took(sessionId: string, position: Position | undefined, event: LedgerEvent): void;
  /** Records a gap: entries up to this position are missing, or an unknown number of entries. */
  gap(sessionId: string, upTo?: Position): void;
  /** Records that the client continues after this position, where it attached or took a snapshot. */
  startsAfter(sessionId: string, position: Position): void;
}

/**
 * Records of a run with faults: which entries of which session each client received, in order. At the end {@link verify}
 * lists the faults: an entry lost, doubled or out of order at a client; a message without an end, or with two; entries that
 * differ between two clients. Needs no test runner.
 *
 * ```ts
 * const ledger = new Ledger({ seed: proxy.seed });
 * ledger.promise(messageId, sessionId);
 * ledger.client("a").took(sessionId, event.position, event);
 * expect(ledger.verify()).toEqual([]);
 * ```
 */
export class Ledger {
  readonly #seed: number | undefined;
  readonly #accounts = new Map<string, LedgerAccount>();
  readonly #promised = new Map<string, string | undefined>();
  readonly #heads = new Map<string, Position>();

  constructor(options: LedgerOptions = {}) {
    this.#seed = options.seed;
  }

  /** The record of one client. A client that reconnects keeps its name. */
  client(name: string): LedgerClient {
    const known = this.#accounts.get(name);
    if (known) return known;
    const account = new LedgerAccount(name);
    this.#accounts.set(name, account);
    return account;
  }

  /** Records that a message was acknowledged: its turn must end exactly once at every client attached to its session. */
  promise(messageId: string, sessionId?: string): void {
    this.#promised.set(messageId, sessionId);
  }

  /** Sets the last position of a session's journal at the end of the run, which every client must have reached. */
  head(sessionId: string, position: Position): void {
    this.#heads.set(sessionId, position);
  }

  /** All faults, one sentence each. Empty when all promises were kept. */
  verify(): string[] {
    const accounts = [...this.#accounts.values()];
    const faults = [
      ...accounts.flatMap((account) => account.faults()),
      ...accounts.flatMap((account) => this.#endFaults(account)),
      ...accounts.flatMap((account) => this.#headFaults(account)),
      ...differences(accounts),
    ];
    const seed = this.#seed === undefined ? "" : ` (seed ${this.#seed})`;
    return faults.map((fault) => fault + seed);
  }

  #endFaults(account: LedgerAccount): string[] {
    return [...this.#promised].flatMap(([messageId, sessionId]) => {
      if (sessionId !== undefined && !account.follows(sessionId)) return [];
      const ends = account.ends.get(messageId) ?? [];
      if (ends.length === 1) return [];
      const what = ends.length === 0 ? "did not end" : `ended ${ends.length} times: ${ends.join(", ")}`;
      return [`Client ${account.name}: message ${messageId} ${what}.`];
    });
  }

  #headFaults(account: LedgerAccount): string[] {
    return [...this.#heads].flatMap(([sessionId, head]) => {
      const last = account.lastOf(sessionId);
      if (!account.follows(sessionId) || (last && comparePositions(last, head) >= 0)) return [];
      const end = last ? `stopped at ${nameOf(last)}` : "got nothing";
      return [`Client ${account.name}, session ${sessionId}: ${end}, the journal goes to ${nameOf(head)}.`];
    });
  }
}

/** Entries of one position that differ between two clients. */
function differences(accounts: readonly LedgerAccount[]): string[] {
  const first = new Map<string, { readonly body: number; readonly client: string }>();
  return accounts.flatMap((account) =>
    [...account.bodies].flatMap(([place, body]) => {
      const known = first.get(place);
      if (!known) first.set(place, { body, client: account.name });
      if (!known || known.body === body) return [];
      return [`Clients ${known.client} and ${account.name} were given different entries at ${place}.`];
    }),
  );
}

function nameOf({ epoch, seq }: Position): string {
  return `${epoch}:${seq}`;
}

/** One line of a record: an entry, a gap or a start. */
type Line =
  | { readonly kind: "entry"; readonly position: Position; readonly type: string }
  | { readonly kind: "start"; readonly position: Position }
  | { readonly kind: "gap"; readonly upTo: Position | undefined };

/** The record of one client of a `Ledger`. */
class LedgerAccount implements LedgerClient {
  readonly name: string;
  /** Reasons with which each message ended, in the order of receipt. */
  readonly ends = new Map<string, string[]>();
  /** Hash of the entry at each position: a long run has millions of entries. */
  readonly bodies = new Map<string, number>();
  readonly #lines = new Map<string, Line[]>();

  constructor(name: string) {
    this.name = name;
  }

  took(sessionId: string, position: Position | undefined, event: LedgerEvent): void {
    if (position) {
      const { epoch, seq } = position;
      this.#write(sessionId, { kind: "entry", position: { epoch, seq }, type: event.type });
      this.bodies.set(`${epoch}:${seq} of session ${sessionId}`, hashOf(JSON.stringify(event)));
    } else {
      this.#linesOf(sessionId);
    }
    if (event.type === "agent_turn_completed") this.#end(String(event.turnId), String(event.reason));
  }

  gap(sessionId: string, upTo?: Position): void {
    this.#write(sessionId, { kind: "gap", upTo });
  }

  startsAfter(sessionId: string, position: Position): void {
    this.#write(sessionId, { kind: "start", position });
  }

  /** Whether the record has lines of that session. */
  follows(sessionId: string): boolean {
    return this.#lines.has(sessionId);
  }

  /** The largest position in the record. */
  lastOf(sessionId: string): Position | undefined {
    return this.#lines.get(sessionId)?.reduce<Position | undefined>((last, line) => placeOf(line) ?? last, undefined);
  }

  /** Entries that the client received twice or out of order, or did not receive. */
  faults(): string[] {
    return [...this.#lines].flatMap(([sessionId, lines]) => {
      const faults: string[] = [];
      let last: Position | undefined;
      let isAnchored = false;
      for (const line of lines) {
        const fault = line.kind === "entry" && isAnchored && last ? faultBetween(last, line) : undefined;
        if (fault) faults.push(`Client ${this.name}, session ${sessionId}: ${fault}`);
        const place = placeOf(line);
        isAnchored = place !== undefined;
        // After an old entry, the next one is compared with the largest position: else one fault is reported as two.
        if (place && (line.kind !== "entry" || !last || comparePositions(place, last) > 0)) last = place;
      }
      return faults;
    });
  }

  #end(messageId: string, reason: string): void {
    this.ends.set(messageId, [...(this.ends.get(messageId) ?? []), reason]);
  }

  #write(sessionId: string, line: Line): void {
    this.#linesOf(sessionId).push(line);
  }

  #linesOf(sessionId: string): Line[] {
    const known = this.#lines.get(sessionId);
    if (known) return known;
    const lines: Line[] = [];
    this.#lines.set(sessionId, lines);
    return lines;
  }
}

/** FNV-1a of 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

function placeOf(line: Line): Position | undefined {
  return line.kind === "gap" ? line.upTo : line.position;
}

/** The fault of an entry after `last`; undefined when it is the next one. */
function faultBetween(last: Position, { position, type }: { position: Position; type: string }): string | undefined {
  const here = `${type} at ${position.epoch}:${position.seq}`;
  const step = position.seq - last.seq;
  if (position.epoch < last.epoch || step < 0) return `${here} came out of order, after ${last.epoch}:${last.seq}.`;
  if (step === 0) return `${here} came twice.`;
  if (step === 1) return undefined;
  const lost = step === 2 ? `entry ${last.seq + 1} is` : `entries ${last.seq + 1} to ${position.seq - 1} are`;
  return `${lost} missing before ${here}.`;
}
