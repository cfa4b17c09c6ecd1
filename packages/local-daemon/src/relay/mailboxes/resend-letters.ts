import { machineOf } from "../names/index.js";
import type { DeadLetters } from "./dead-letters.js";
import type { HistoryEntry, HistoryQuery, HistoryReader, Post, PostOutcome } from "./mailboxes.js";

/** A message that was dropped by age, and where it is stored. */
interface DeadLetter {
  readonly address: string;
  readonly position: number;
  readonly post: Post;
}

/** Where dead letters are, and what sends them. */
export interface ResendParts {
  readonly dead: DeadLetters;
  /** Reads what is stored of one mailbox. */
  read(address: string, query: HistoryQuery): Promise<HistoryEntry[]>;
  post(posts: readonly Post[]): Promise<readonly PostOutcome[]>;
}

/** The letters of these ids that a reader may see. */
export interface WantedLetters {
  readonly ids: readonly string[];
  readonly reader?: HistoryReader | undefined;
}

/**
 * Posts dead letters again, as their senders had sent them. A letter that its mailbox takes is none any more. Resolves with the ids of
 * those. Rejects when the store fails.
 */
export async function resendLetters(parts: ResendParts, { ids, reader }: WantedLetters): Promise<string[]> {
  const { dead, post } = parts;
  const wanted = new Set(ids);
  const letters: DeadLetter[] = [];
  for (const address of dead.addresses) {
    if (letters.length === wanted.size) break;
    letters.push(...(await lettersOf(parts, address, wanted, reader)));
  }
  const outcomes = await post(letters.map((letter) => letter.post));
  const taken = letters.filter((_, index) => outcomes[index]?.state !== "refused");
  for (const { address, position } of taken) await dead.remove(address, position);
  return taken.map((letter) => letter.post.refId);
}

async function lettersOf(
  { read }: ResendParts,
  address: string,
  ids: ReadonlySet<string>,
  reader: HistoryReader | undefined,
): Promise<DeadLetter[]> {
  const entries = await read(address, { limit: ids.size, order: "asc", ids, failedOnly: true, reader });
  return entries.map(({ id, from, to, payload, topic, payload_meta, originalTo, position }) => ({
    ...{ address, position },
    post: { from, to, payload, topic, payload_meta, originalTo, refId: id, machineId: machineIfMany(to, address) },
  }));
}

/** The machine of an outbox, for a message to many names there. */
function machineIfMany(to: string, address: string): string | undefined {
  return to === "*" || to === "@users" ? machineOf(address) : undefined;
}
