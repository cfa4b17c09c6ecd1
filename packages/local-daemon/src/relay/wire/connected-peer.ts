import type { HelloPayload } from "@daemon-sdk/protocol/relay";
import type { MailboxCursor, MailboxSink } from "../mailboxes/index.js";
import type { RelayPeer } from "../names/index.js";
import { RelayVoice, type RelayVoiceOptions } from "./relay-voice.js";

/** Options of {@link ConnectedPeer}. */
export interface ConnectedPeerOptions extends RelayVoiceOptions {
  readonly hello: HelloPayload;
  readonly entityType: "agent" | "user";
  readonly sessionId: string;
  readonly now: () => number;
  /** How long it may be silent after a DELIVER. */
  readonly processingMs: number;
}

/** A {@link RelayPeer} on a connection, and the sink of its name's mailbox. */
export class ConnectedPeer extends RelayVoice implements RelayPeer, MailboxSink {
  readonly name: string;
  readonly entityType: "agent" | "user";
  readonly hello: HelloPayload;
  readonly sessionId: string;
  readonly connectedAt: number;
  readonly wantsReceipts: boolean;
  readonly readsBatches: boolean;
  /** Its place in the mailbox; set once it is active. */
  cursor: MailboxCursor | undefined;
  readonly #now: () => number;
  readonly #processingMs: number;
  #busyUntil = 0;

  constructor(options: ConnectedPeerOptions) {
    super(options);
    const { hello, entityType, sessionId, now, processingMs } = options;
    this.name = hello.agent;
    this.hello = hello;
    this.entityType = entityType;
    this.sessionId = sessionId;
    this.wantsReceipts = hello.capabilities?.receipts === true;
    this.readsBatches = hello.capabilities?.batches === true;
    this.connectedAt = now();
    this.#now = now;
    this.#processingMs = processingMs;
  }

  get isFull(): boolean {
    return this.connection.isFull;
  }

  /** It has got something to do that may keep it from answering pings (docs/wire/relay.md#heartbeat). */
  get isBusy(): boolean {
    return this.#now() < this.#busyUntil;
  }

  onceWritable(callback: () => void): void {
    this.connection.onceWritable(callback);
  }

  deliver(frameText: string): void {
    if (this.entityType === "agent") this.#busyUntil = this.#now() + this.#processingMs;
    this.connection.send(frameText);
  }

  /** It said something of its own: it is not lost in its work. */
  spoke(): void {
    this.#busyUntil = 0;
  }
}
