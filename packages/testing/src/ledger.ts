import { comparePositions, type Position } from "@daemon-sdk/protocol";
import { LedgerAccount, type LedgerEvent } from "./ledger-account.js";

/** Options of {@link Ledger}. */
export interface LedgerOptions {
  /** What the faults of the run came from; it stands in every line of {@link Ledger.verify}, so that a failure can be had again. */
  readonly seed?: number;
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
