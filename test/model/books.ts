import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DaemonConnection } from "@daemon-sdk/client";
import type { Ledger } from "@daemon-sdk/testing";

/** What is known of one message that a client sent. */
export interface MessageRecord {
  readonly messageId: string;
  readonly sessionId: string;
  /** Whether its turn appends a line with the message's id to the session's file. */
  readonly acts: boolean;
  /** What was sent; undefined until then. */
  prompt?: string;
  /** The answer that its streams gave. */
  text?: string;
  /** How its stream ended; undefined for a message that nobody streams. */
  subtype?: string;
}

/** Receipts that change no more. */
const FINAL = new Set(["completed", "interrupted", "failed", "agent_exited", "outcome_unknown"]);
const PAGE = 100;

/**
 * What the run did, and at its end what of docs/guarantees.md does not hold: the ledger's faults (lost, doubled, out of order, ends),
 * receipts that are not final or say another end than the stream did, actions done twice or not at all, messages that the
 * conversation does not hold exactly once.
 */
export class Books {
  readonly messages: MessageRecord[] = [];
  readonly #faults: string[] = [];
  readonly #ledger: Ledger;
  readonly #workspace: string;

  constructor(ledger: Ledger, workspace: string) {
    this.#ledger = ledger;
    this.#workspace = workspace;
  }

  fault(text: string): void {
    this.#faults.push(text);
  }

  /** A message is about to be sent; it has to end once at everybody who follows its session. */
  sent(record: MessageRecord): MessageRecord {
    this.messages.push(record);
    this.#ledger.promise(record.messageId, record.sessionId);
    return record;
  }

  /** The file that a session's acting turns append to. */
  static fileOf(sessionId: string): string {
    return `acts-${sessionId}.txt`;
  }

  /** How many messages have receipts that may still change. */
  async openMessages(connection: DaemonConnection): Promise<number> {
    let open = 0;
    for (const [sessionId, messages] of groupBySession(this.messages)) {
      const states = await statesOf(connection, sessionId, messages);
      open += states.filter((state) => !FINAL.has(state)).length;
    }
    return open;
  }

  /** Everything that is wrong, once nothing runs any more. */
  async verify(connection: DaemonConnection): Promise<string[]> {
    const faults = [...this.#faults, ...this.#ledger.verify(), ...this.#actionFaults()];
    for (const [sessionId, messages] of groupBySession(this.messages)) {
      faults.push(...(await receiptFaults(connection, sessionId, messages)));
      faults.push(...(await conversationFaults(connection, sessionId, messages)));
    }
    return faults;
  }

  #actionFaults(): string[] {
    const counts = new Map<string, number>();
    for (const name of readdirSync(this.#workspace).filter((each) => each.startsWith("acts-"))) {
      const path = join(this.#workspace, name);
      const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
      for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    }
    return this.messages.flatMap(({ messageId, acts, subtype }) => {
      const count = counts.get(messageId) ?? 0;
      const least = acts && subtype === "success" ? 1 : 0;
      if (count >= least && count <= (acts ? 1 : 0)) return [];
      return [`Message ${messageId} (${subtype ?? "not streamed"}) was acted on ${count} times.`];
    });
  }
}

function groupBySession(messages: readonly MessageRecord[]): Map<string, MessageRecord[]> {
  const groups = new Map<string, MessageRecord[]>();
  for (const record of messages) groups.set(record.sessionId, [...(groups.get(record.sessionId) ?? []), record]);
  return groups;
}

/** The states of receipts, in the order of the messages. */
async function statesOf(
  connection: DaemonConnection,
  sessionId: string,
  messages: readonly MessageRecord[],
): Promise<string[]> {
  const states: string[] = [];
  for (let from = 0; from < messages.length; from += PAGE) {
    const ids = messages.slice(from, from + PAGE).map(({ messageId }) => messageId);
    for (const { state } of await connection.getReceipts(sessionId, ids)) states.push(state);
  }
  return states;
}

async function receiptFaults(
  connection: DaemonConnection,
  sessionId: string,
  messages: readonly MessageRecord[],
): Promise<string[]> {
  const states = await statesOf(connection, sessionId, messages);
  return messages.flatMap(({ messageId, subtype }, index) => {
    const state = states[index] ?? "missing";
    if (!FINAL.has(state)) return [`The receipt of ${messageId} is ${state} when everything is over.`];
    if (subtype === "success" && state !== "completed") return [`Message ${messageId}: a success, receipt ${state}.`];
    return [];
  });
}

async function conversationFaults(
  connection: DaemonConnection,
  sessionId: string,
  messages: readonly MessageRecord[],
): Promise<string[]> {
  const counts = new Map<string, number>();
  let cursor: string | undefined;
  do {
    const page = await connection.getSessionMessages(sessionId, {
      limit: PAGE,
      ...(cursor !== undefined && { cursor }),
    });
    for (const { id } of page.messages) counts.set(id, (counts.get(id) ?? 0) + 1);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return messages.flatMap(({ messageId, subtype }) => {
    const count = counts.get(messageId) ?? 0;
    if (count === 1 || (count === 0 && subtype !== "success")) return [];
    return [`The conversation of ${sessionId} holds message ${messageId} ${count} times.`];
  });
}
