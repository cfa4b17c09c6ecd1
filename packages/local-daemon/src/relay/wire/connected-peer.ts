import type { HelloPayload } from "@daemon-sdk/protocol/relay";
import type { MailboxCursor, MailboxSink } from "../mailboxes/index.js";
import type { RelayPeer } from "../names/index.js";
import { type RelayConnection, RelayWriter, type RelayWriterOptions } from "./relay-writer.js";

/** Options of {@link ConnectedPeer}. */
export interface ConnectedPeerOptions extends RelayWriterOptions {
  readonly hello: HelloPayload;
  readonly entityType: "agent" | "user";
  readonly sessionId: string;
  /** The HELLO has proven that the peer acts for the person. */
  readonly isProven: boolean;
  readonly actsForPerson: boolean;
  readonly ownedSince: number;
  readonly now: () => number;
  /** Time after a DELIVER in which the silence of an agent does not count. */
  readonly processingMs: number;
}

/** The {@link RelayPeer} of a connection, and the sink of its mailbox. */
export class ConnectedPeer extends RelayWriter implements RelayPeer, MailboxSink {
  readonly name: string;
  readonly entityType: "agent" | "user";
  readonly hello: HelloPayload;
  readonly sessionId: string;
  readonly connectedAt: number;
  readonly isProven: boolean;
  readonly actsForPerson: boolean;
  readonly ownedSince: number;
  readonly wantsReceipts: boolean;
  readonly readsBatches: boolean;
  /** Its cursor in the mailbox; set once the connection is active. */
  cursor: MailboxCursor | undefined;
  readonly #now: () => number;
  readonly #processingMs: number;
  readonly #outbox: RelayConnection["outbox"];
  #busyUntil = 0;

  constructor(options: ConnectedPeerOptions) {
    super(options);
    const { hello, entityType, sessionId, now, processingMs } = options;
    this.name = hello.agent;
    this.hello = hello;
    this.entityType = entityType;
    this.sessionId = sessionId;
    this.isProven = options.isProven;
    this.actsForPerson = options.actsForPerson;
    this.ownedSince = options.ownedSince;
    this.wantsReceipts = hello.capabilities?.receipts === true;
    this.readsBatches = hello.capabilities?.batches === true;
    this.connectedAt = now();
    this.#now = now;
    this.#processingMs = processingMs;
    this.#outbox = options.connection.outbox;
  }

  get isFull(): boolean {
    return this.#outbox.isFull;
  }

  /** Whether the peer may be processing a message, and need not answer pings (docs/wire/relay.md#heartbeat). */
  get isBusy(): boolean {
    return this.#now() < this.#busyUntil;
  }

  onceWritable(callback: () => void): void {
    this.#outbox.onceWritable(callback);
  }

  deliver(frameText: string): void {
    if (this.entityType === "agent") this.#busyUntil = this.#now() + this.#processingMs;
    this.#outbox.send(frameText);
  }

  /** The peer has sent a message: its silence counts again. */
  endProcessing(): void {
    this.#busyUntil = 0;
  }
}
