import type { ReplicatedRow, SessionEntry, SessionMessage } from "@daemon-sdk/protocol";
import type { ReplicaMessage } from "./read-replica.js";
import { baseHeadOf, logHeadOf } from "./replica-head.js";
import { type ReplicaEnd, SessionCopy } from "./session-copy.js";

/** A session as its replica has it. */
export interface BookedSession {
  readonly row: ReplicatedRow | undefined;
  readonly messages: readonly SessionMessage[];
  readonly entries: readonly SessionEntry[];
  readonly upTo: ReplicaEnd | undefined;
  readonly isWhole: boolean;
}

/**
 * Makes a session of the messages of its replica, in the order of the stream. A later copy replaces the one before when all of its
 * beginning is there. What is there twice is taken once.
 */
export class SessionBook {
  readonly #keepsEntries: boolean;
  #row: ReplicatedRow | undefined;
  #copies = new Map<string, { readonly copy: SessionCopy; readonly entries: SessionEntry[] }>();
  #current = "";

  /** @param keepsEntries whether entries are wanted, and not only the conversation */
  constructor(keepsEntries: boolean) {
    this.#keepsEntries = keepsEntries;
  }

  add({ part, head, body }: Pick<ReplicaMessage, "part" | "head" | "body">): void {
    if (part === "row") this.#row = rowOf(body) ?? this.#row;
    else if (part === "base") this.#addBase(head, body);
    else if (part === "log") this.#addLog(head, body);
  }

  /** What was added so far. */
  read(): BookedSession {
    const current = this.#copies.get(this.#current);
    return {
      row: this.#row,
      messages: current?.copy.conversation.list() ?? [],
      entries: current?.entries ?? [],
      // A copy has its conversation before its entries.
      upTo: this.#keepsEntries ? current?.copy.entriesEnd : current?.copy.end,
      isWhole: current?.copy.isWhole === true,
    };
  }

  #addBase(text: string, body: Uint8Array): void {
    const head = baseHeadOf(text);
    if (head === undefined) return;
    const { copy } = this.#copyOf(head.generation);
    if (!copy.addBase(head, body)) return;
    // Copies of before are not continued.
    const found = this.#copyOf(head.generation);
    this.#copies = new Map([[head.generation, found]]);
    this.#current = head.generation;
  }

  #addLog(text: string, body: Uint8Array): void {
    const head = logHeadOf(text);
    if (head === undefined) return;
    if (this.#current === "") this.#current = head.generation;
    this.#copyOf(head.generation).copy.addLog(head, body);
  }

  #copyOf(generation: string) {
    const known = this.#copies.get(generation);
    if (known !== undefined) return known;
    const entries: SessionEntry[] = [];
    const made = { copy: new SessionCopy(this.#keepsEntries ? (entry) => entries.push(entry) : undefined), entries };
    this.#copies.set(generation, made);
    return made;
  }
}

function rowOf(body: Uint8Array): ReplicatedRow | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as ReplicatedRow;
  } catch {
    return undefined;
  }
}
