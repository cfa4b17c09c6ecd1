import { comparePositions, type Position } from "@daemon-sdk/protocol";

/** Options of {@link Ledger}. */
export interface LedgerOptions {
  /** What the faults of the run came from; it stands in every line of {@link Ledger.verify}, so that a failure can be had again. */
  readonly seed?: number;
}

/** An event as a ledger looks at it: what it is, and whether it ends a turn. */
export interface LedgerEvent {
  readonly type: string;
  /** With the type `agent_turn_completed`: the message whose turn is over. */
  readonly turnId?: unknown;
  readonly reason?: unknown;
  readonly [key: string]: unknown;
}

/** What one client writes down of what it was given. */
export interface LedgerClient {
  /**
   * An event reached the consumer of a session. Without a position (a plain daemon has none) it counts for the end of
   * turns only. What was sent ahead of its place (`early`) is not to be written down: it comes again at its place.
   */
  took(sessionId: string, position: Position | undefined, event: LedgerEvent): void;
  /** The client was told that entries up to this position are missing; without one, that an unknown number is. */
  gap(sessionId: string, upTo?: Position): void;
  /** The client goes on after this position: a snapshot was taken there, or it attached there. */
  startsAfter(sessionId: string, position: Position): void;
}

/**
 * The books of a run with faults: what clients were given, of which session, in which order. At its end {@link verify} says
 * what is wrong: an entry lost, doubled or out of order at any client; a message without an end, or with two; entries that
 * two clients saw differently. Needs no test runner.
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

  /** The book of one client; a client that comes back over another connection keeps its name. */
  client(name: string): LedgerClient {
    const known = this.#accounts.get(name);
    if (known) return known;
    const account = new LedgerAccount(name);
    this.#accounts.set(name, account);
    return account;
  }

  /** A message was acknowledged: it has to end, exactly once, at every client that follows its session. */
  promise(messageId: string, sessionId?: string): void {
    this.#promised.set(messageId, sessionId);
  }

  /** Where the journal of a session ended when the run was over: every client must have come that far. */
  head(sessionId: string, position: Position): void {
    this.#heads.set(sessionId, position);
  }

  /** Everything that is wrong, one sentence each; none means that the promises were kept. */
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

/** Entries of one place that are not the same at two clients. */
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

/** One line of the book: an entry, or a word about where the client stands. */
type Line =
  | { readonly kind: "entry"; readonly position: Position; readonly type: string }
  | { readonly kind: "start"; readonly position: Position }
  | { readonly kind: "gap"; readonly upTo: Position | undefined };

/** The book of one client of a `Ledger`. */
class LedgerAccount implements LedgerClient {
  readonly name: string;
  /** Reasons with which each message ended, in the order they came. */
  readonly ends = new Map<string, string[]>();
  /** What stood at each place, as a hash: a long run has millions of entries. */
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

  /** Whether it has written anything of that session. */
  follows(sessionId: string): boolean {
    return this.#lines.has(sessionId);
  }

  /** The furthest place it has come to. */
  lastOf(sessionId: string): Position | undefined {
    return this.#lines.get(sessionId)?.reduce<Position | undefined>((last, line) => placeOf(line) ?? last, undefined);
  }

  /** Where it was given an entry twice, out of order, or lost one. */
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
        // After something old the next entry is looked at from the furthest place, or one fault would be told as two.
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

/** What is wrong with an entry that came after `last`; nothing, where it is the next one. */
function faultBetween(last: Position, { position, type }: { position: Position; type: string }): string | undefined {
  const here = `${type} at ${position.epoch}:${position.seq}`;
  const step = position.seq - last.seq;
  if (position.epoch < last.epoch || step < 0) return `${here} came out of order, after ${last.epoch}:${last.seq}.`;
  if (step === 0) return `${here} came twice.`;
  if (step === 1) return undefined;
  const lost = step === 2 ? `entry ${last.seq + 1} is` : `entries ${last.seq + 1} to ${position.seq - 1} are`;
  return `${lost} missing before ${here}.`;
}
