import { machineOf } from "../names/index.js";
import type { DeadLetters } from "./dead-letters.js";
import type { Mailbox } from "./mailbox.js";

/** What waits for one machine. */
export interface OutboxFigures {
  readonly machineId: string;
  /** Letters that the machine has not reported. */
  readonly letters: number;
  /** Their size, as UTF-16 units of their texts. */
  readonly bytes: number;
  /** How long the oldest of them has waited, in ms; 0 when none waits. */
  readonly oldestMs: number;
  /** Letters that were refused, or were not reported within their age. */
  readonly deadLetters: number;
}

/** The figures of each outbox among some mailboxes. */
export function outboxFigures(mailboxes: Iterable<Mailbox>, dead: DeadLetters, now: number): OutboxFigures[] {
  return [...mailboxes].flatMap(({ address, backlog, since }) => {
    const machineId = machineOf(address);
    if (machineId === undefined) return [];
    const { depth: letters, bytes, lowWater } = backlog;
    const oldestMs = letters === 0 ? 0 : Math.max(0, now - (since.oldest(lowWater) ?? now));
    return [{ machineId, letters, bytes, oldestMs, deadLetters: dead.count(address) }];
  });
}
