import { abortReason, DaemonError, LIMITS, ProtocolError } from "@daemon-sdk/protocol";
import type { BusyPayload, Envelope, ErrorPayload, ReceiptPayload } from "@daemon-sdk/protocol/relay";
import type { RelayConnection } from "../connection/index.js";
import { clientClosed } from "../connection/index.js";

/**
 * The outcome of a message.
 *
 * - `delivered`: stored, and written to a recipient who is connected; it will be redelivered until acknowledged.
 * - `queued`: stored for a recipient who is away or not started yet.
 * - `sent`: the bytes have left this process. This daemon gives no receipts, so nothing more is known.
 * - `refused`: not accepted; `code` and `reason` state why, `retryAfterMs` when the message may be sent again.
 */
export interface SendReceipt {
  /** Id of the SEND. The DELIVER has another one. */
  readonly id: string;
  readonly state: "delivered" | "queued" | "sent" | "refused";
  /** `NOT_FOUND`, `BUSY`, `BAD_REQUEST` or another code of the daemon's; only with `refused`. */
  readonly code?: string;
  readonly reason?: string;
  readonly retryAfterMs?: number;
}

interface UnsentMessage {
  readonly id: string;
  /** Empty once it was written to a link. */
  json: string;
  /** True for a SEND, which is settled by a receipt where the daemon gives them. */
  readonly wantsReceipt: boolean;
  resolve(receipt: SendReceipt): void;
  reject(error: unknown): void;
}

/** Bounds of an {@link Outbox}. */
export interface OutboxOptions {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/**
 * The messages that this client sends, and the receipts that it awaits. Without a connection messages are kept, within bounds,
 * for the next one.
 *
 * A message is written to one link at most. When the link is lost before the receipt, the call rejects with CONNECTION_LOST:
 * whether the daemon has accepted the message is unknown, and a second send could deliver it twice.
 */
export class Outbox {
  readonly #connection: RelayConnection;
  readonly #options: OutboxOptions;
  /** Waiting for a connection, in order. A message whose signal was aborted is removed. */
  readonly #kept = new Set<UnsentMessage>();
  #keptBytes = 0;
  /** Written, and awaiting a receipt. */
  readonly #awaiting = new Map<string, UnsentMessage>();
  /** Written, in order, without a receipt to await: settled once the bytes have left. */
  readonly #leaving: UnsentMessage[] = [];
  #givesReceipts = false;
  #isClosed = false;

  constructor(connection: RelayConnection, options: OutboxOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Messages that wait for a connection. */
  get length(): number {
    return this.#kept.size;
  }

  /** Sends or keeps the envelope. Rejects with QUEUE_FULL, MESSAGE_TOO_LARGE, CONNECTION_LOST, or the reason of `signal`. */
  submit(envelope: Envelope<unknown>, signal?: AbortSignal): Promise<SendReceipt> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      if (this.#isClosed) return reject(clientClosed());
      const unsent = unsentOf(envelope, { resolve, reject });
      if (signal !== undefined) this.#watch(unsent, signal);
      if (this.#isOpen() && this.#kept.size === 0) this.#write(unsent);
      else this.#keep(unsent);
    });
  }

  /** The client is connected: sends what was kept. */
  onReady(givesReceipts: boolean): void {
    this.#givesReceipts = givesReceipts;
    this.#drain();
  }

  /** Sends the kept messages until the link is full. */
  #drain(): void {
    for (const unsent of this.#kept) {
      if (!this.#isOpen()) return;
      this.#unkeep(unsent);
      this.#write(unsent);
    }
  }

  onReceipt({ ref_id, also = [], state }: ReceiptPayload): void {
    const known = isKnownState(state) ? state : "sent";
    this.#settle(ref_id, { id: ref_id, state: known });
    for (const id of also) this.#settle(id, { id, state: known });
  }

  /** The bytes of the next `count` messages without a receipt have left this process; the link may take more. */
  onFlushed(count: number): void {
    for (const { id, resolve } of this.#leaving.splice(0, count)) resolve({ id, state: "sent" });
    this.#drain();
  }

  /** False when the ERROR names no message that waits here. */
  onError({ ref_id: id, code, message }: ErrorPayload): boolean {
    return id !== undefined && this.#settle(id, { id, state: "refused", code, reason: message });
  }

  /** False when the BUSY names no message that waits here. */
  onBusy({ ref_id: id, retry_after_ms: retryAfterMs }: BusyPayload): boolean {
    const reason = `The daemon is busy; try again after ${retryAfterMs} ms.`;
    return id !== undefined && this.#settle(id, { id, state: "refused", code: "BUSY", reason, retryAfterMs });
  }

  /** The link was lost, and with it the receipts of what was written to it. */
  onLost(error: unknown): void {
    for (const unsent of [...this.#awaiting.values(), ...this.#leaving]) unsent.reject(error);
    this.#awaiting.clear();
    this.#leaving.length = 0;
  }

  close(error: unknown): void {
    this.#isClosed = true;
    this.onLost(error);
    for (const unsent of this.#kept) unsent.reject(error);
    this.#kept.clear();
  }

  #isOpen(): boolean {
    return this.#connection.isReady && this.#connection.bufferedBytes < LIMITS.transportHighWaterBytes;
  }

  #write(unsent: UnsentMessage): void {
    const awaitsReceipt = unsent.wantsReceipt && this.#givesReceipts;
    const { id, json } = unsent;
    // The outgrown tables of a Map retain deleted values until the next full collection, so these are kept small.
    unsent.json = "";
    if (awaitsReceipt) this.#awaiting.set(id, unsent);
    else this.#leaving.push(unsent);
    try {
      this.#connection.writeText(json, !awaitsReceipt);
    } catch (error) {
      if (!this.#awaiting.delete(id)) this.#leaving.pop();
      unsent.reject(error);
    }
  }

  #keep(unsent: UnsentMessage): void {
    const { maxMessages, maxBytes } = this.#options;
    if (this.#kept.size >= maxMessages || this.#keptBytes + unsent.json.length > maxBytes) {
      unsent.reject(queueFull(this.#kept.size, this.#keptBytes));
      return;
    }
    this.#kept.add(unsent);
    this.#keptBytes += unsent.json.length;
  }

  #unkeep(unsent: UnsentMessage): boolean {
    if (!this.#kept.delete(unsent)) return false;
    this.#keptBytes -= unsent.json.length;
    return true;
  }

  #settle(id: string, receipt: SendReceipt): boolean {
    // An answer may arrive before `onFlushed` is called.
    const unsent = this.#awaiting.get(id) ?? this.#leaving.find((one) => one.id === id);
    if (unsent === undefined) return false;
    this.#awaiting.delete(id);
    unsent.resolve(receipt);
    return true;
  }

  #watch(unsent: UnsentMessage, signal: AbortSignal): void {
    const onAbort = (): void => {
      this.#unkeep(unsent);
      this.#awaiting.delete(unsent.id);
      unsent.reject(abortReason(signal));
    };
    const { resolve, reject } = unsent;
    const stop = () => signal.removeEventListener("abort", onAbort);
    unsent.resolve = (receipt) => {
      stop();
      resolve(receipt);
    };
    unsent.reject = (error) => {
      stop();
      reject(error);
    };
    signal.addEventListener("abort", onAbort, { once: true });
  }
}

function unsentOf(envelope: Envelope<unknown>, settle: Pick<UnsentMessage, "resolve" | "reject">): UnsentMessage {
  const { resolve, reject } = settle;
  return { id: envelope.id, json: jsonOf(envelope), wantsReceipt: envelope.type === "SEND", resolve, reject };
}

/** At the call, once: the bounds count the size of the text, and the call rejects data that is no JSON. */
function jsonOf(envelope: Envelope<unknown>): string {
  try {
    return JSON.stringify(envelope);
  } catch (cause) {
    const message = "The message cannot be written as JSON: remove cycles and bigints from its `data`.";
    throw new ProtocolError("PROTOCOL_VIOLATION", message, { cause });
  }
}

function isKnownState(state: string): state is "delivered" | "queued" | "refused" {
  return state === "delivered" || state === "queued" || state === "refused";
}

function queueFull(messages: number, bytes: number): DaemonError {
  return new DaemonError(
    "QUEUE_FULL",
    `${messages} messages (${bytes} bytes) wait for the relay already. Wait until it is back, or raise \`maxQueued\`.`,
  );
}
