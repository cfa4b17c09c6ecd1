import { abortReason, DaemonError, LIMITS, ProtocolError } from "@daemon-sdk/protocol";
import type { BusyPayload, Envelope, ErrorPayload, ReceiptPayload } from "@daemon-sdk/protocol/relay";
import type { RelayConnection } from "./relay-connection.js";
import { clientClosed } from "./relay-errors.js";

/**
 * What has become of a message.
 *
 * - `delivered`: stored, and written to a recipient who is connected; it will be redelivered until acknowledged.
 * - `queued`: stored for a recipient who is away or not started yet.
 * - `sent`: the bytes have left this process; this daemon gives no receipts, so nobody knows more.
 * - `refused`: not taken; `code` and `reason` say why, `retryAfterMs` when it may be tried again.
 */
export interface SendReceipt {
  /** Id of the SEND. The recipient sees another one. */
  readonly id: string;
  readonly state: "delivered" | "queued" | "sent" | "refused";
  /** `NOT_FOUND`, `BUSY`, `BAD_REQUEST` or another code of the daemon's; only with `refused`. */
  readonly code?: string;
  readonly reason?: string;
  readonly retryAfterMs?: number;
}

interface Parcel {
  readonly id: string;
  /** Empty once it is the link's. */
  json: string;
  /** A SEND: settled by a receipt where the daemon gives them. */
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
 * What this client sends: at once while it is connected, else kept, within bounds, until it is again; and the receipts that
 * are awaited. A message is written to one link at most: one whose receipt is missing when the link is lost rejects
 * with CONNECTION_LOST, for nobody knows whether the daemon has taken it, and to send it again could deliver it twice.
 */
export class Outbox {
  readonly #connection: RelayConnection;
  readonly #options: OutboxOptions;
  /** Kept in order; a parcel whose sender gave up is removed. */
  readonly #kept = new Set<Parcel>();
  #keptBytes = 0;
  /** Written, with a receipt to come. */
  readonly #awaiting = new Map<string, Parcel>();
  /** Written, in order, and sent once the bytes have left. */
  readonly #leaving: Parcel[] = [];
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
      const parcel = parcelOf(envelope, { resolve, reject });
      if (signal !== undefined) this.#watch(parcel, signal);
      if (this.#isOpen() && this.#kept.size === 0) this.#hand(parcel);
      else this.#keep(parcel);
    });
  }

  /** The connection stands: what was kept goes out. */
  onReady(givesReceipts: boolean): void {
    this.#givesReceipts = givesReceipts;
    this.#drain();
  }

  /** Sends what was kept, as far as the link takes it. */
  #drain(): void {
    for (const parcel of this.#kept) {
      if (!this.#isOpen()) return;
      this.#unkeep(parcel);
      this.#hand(parcel);
    }
  }

  onReceipt({ ref_id, also = [], state }: ReceiptPayload): void {
    const known = isKnownState(state) ? state : "sent";
    this.#settle(ref_id, { id: ref_id, state: known });
    for (const id of also) this.#settle(id, { id, state: known });
  }

  /** The bytes of the next so many messages have left this process, and nobody will tell more; there may be room for more. */
  onFlushed(count: number): void {
    for (const { id, resolve } of this.#leaving.splice(0, count)) resolve({ id, state: "sent" });
    this.#drain();
  }

  /** False: the ERROR is about nothing that waits here. */
  onError({ ref_id: id, code, message }: ErrorPayload): boolean {
    return id !== undefined && this.#settle(id, { id, state: "refused", code, reason: message });
  }

  /** False: the BUSY is about nothing that waits here. */
  onBusy({ ref_id: id, retry_after_ms: retryAfterMs }: BusyPayload): boolean {
    const reason = `The daemon is busy; try again after ${retryAfterMs} ms.`;
    return id !== undefined && this.#settle(id, { id, state: "refused", code: "BUSY", reason, retryAfterMs });
  }

  /** The link is gone, and with it the receipts of what it carried. */
  onLost(error: unknown): void {
    for (const parcel of [...this.#awaiting.values(), ...this.#leaving]) parcel.reject(error);
    this.#awaiting.clear();
    this.#leaving.length = 0;
  }

  close(error: unknown): void {
    this.#isClosed = true;
    this.onLost(error);
    for (const parcel of this.#kept) parcel.reject(error);
    this.#kept.clear();
  }

  #isOpen(): boolean {
    return this.#connection.isReady && this.#connection.bufferedBytes < LIMITS.transportHighWaterBytes;
  }

  #hand(parcel: Parcel): void {
    const awaitsReceipt = parcel.wantsReceipt && this.#givesReceipts;
    const { id, json } = parcel;
    // What a Map let go of, its outgrown tables keep until the next full collection: let that be little.
    parcel.json = "";
    if (awaitsReceipt) this.#awaiting.set(id, parcel);
    else this.#leaving.push(parcel);
    try {
      this.#connection.writeText(json, !awaitsReceipt);
    } catch (error) {
      if (!this.#awaiting.delete(id)) this.#leaving.pop();
      parcel.reject(error);
    }
  }

  #keep(parcel: Parcel): void {
    const { maxMessages, maxBytes } = this.#options;
    if (this.#kept.size >= maxMessages || this.#keptBytes + parcel.json.length > maxBytes) {
      parcel.reject(queueFull(this.#kept.size, this.#keptBytes));
      return;
    }
    this.#kept.add(parcel);
    this.#keptBytes += parcel.json.length;
  }

  #unkeep(parcel: Parcel): boolean {
    if (!this.#kept.delete(parcel)) return false;
    this.#keptBytes -= parcel.json.length;
    return true;
  }

  #settle(id: string, receipt: SendReceipt): boolean {
    // An answer may be here before the word that the bytes have left.
    const parcel = this.#awaiting.get(id) ?? this.#leaving.find((one) => one.id === id);
    if (parcel === undefined) return false;
    this.#awaiting.delete(id);
    parcel.resolve(receipt);
    return true;
  }

  #watch(parcel: Parcel, signal: AbortSignal): void {
    const onAbort = (): void => {
      this.#unkeep(parcel);
      this.#awaiting.delete(parcel.id);
      parcel.reject(abortReason(signal));
    };
    const { resolve, reject } = parcel;
    const stop = () => signal.removeEventListener("abort", onAbort);
    parcel.resolve = (receipt) => {
      stop();
      resolve(receipt);
    };
    parcel.reject = (error) => {
      stop();
      reject(error);
    };
    signal.addEventListener("abort", onAbort, { once: true });
  }
}

function parcelOf(envelope: Envelope<unknown>, settle: Pick<Parcel, "resolve" | "reject">): Parcel {
  const { resolve, reject } = settle;
  return { id: envelope.id, json: jsonOf(envelope), wantsReceipt: envelope.type === "SEND", resolve, reject };
}

/** Written once: its size is what the bounds count, and a fault of the caller's shows at the call. */
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
