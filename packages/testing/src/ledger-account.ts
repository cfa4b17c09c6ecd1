import { comparePositions, type Position } from "@daemon-sdk/protocol";
import type { LedgerClient } from "./ledger.js";

/** An event as a ledger looks at it: what it is, and whether it ends a turn. */
export interface LedgerEvent {
  readonly type: string;
  /** With the type `agent_turn_completed`: the message whose turn is over. */
  readonly turnId?: unknown;
  readonly reason?: unknown;
  readonly [key: string]: unknown;
}

/** One line of the book: an entry, or a word about where the client stands. */
type Line =
  | { readonly kind: "entry"; readonly position: Position; readonly type: string }
  | { readonly kind: "start"; readonly position: Position }
  | { readonly kind: "gap"; readonly upTo: Position | undefined };

/** The book of one client of a `Ledger`. */
export class LedgerAccount implements LedgerClient {
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
