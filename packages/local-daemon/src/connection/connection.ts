import {
  CloseCode,
  ConnectionError,
  DaemonError,
  LIMITS,
  type Logger,
  newId,
  TimeoutError,
  type TransportClose,
} from "@daemon-sdk/protocol";
import type { LargeMessage } from "@daemon-sdk/transport-ws";
import { DAEMON_LIMITS, SERVING_LIMITS } from "../limits/index.js";
import { type ConnectionEvent, type ConnectionState, nextConnectionState } from "./connection.machine.js";
import type { Dialect, LargeInbound } from "./dialect.js";
import type { Heartbeat } from "./heartbeat.js";
import { InboundQueue } from "./inbound-queue.js";
import type { Link } from "./link.js";
import type { LoopDebt } from "./loop-debt.js";
import type { LoopShare } from "./loop-shares.js";
import type { UnreadRoom } from "./unread-room.js";
import { WriteQueue } from "./write-queue.js";

/** Bounds of one connection; each defaults to the value of `DAEMON_LIMITS` in its comment. */
export interface ConnectionLimits {
  /** `authenticateMs`: from accept to the end of the handshake. */
  readonly handshakeMs?: number;
  /** `connectionBufferBytes` */
  readonly bufferBytes?: number;
  /** `slowConsumerMs` */
  readonly slowMs?: number;
  /** `closeTimeoutMs`: from our close to the end of the link. At most `strangerCloseMs` before the handshake is done. */
  readonly closeMs?: number;
}

/** What the messages of an accepted connection count to. */
export interface ConnectionAccount {
  /** Its share of the loop. */
  readonly share: LoopShare;
  /** What this connection owes by itself; default: nothing. */
  readonly debt?: LoopDebt | undefined;
  /** Counts its messages that are not read; default: nobody does. */
  readonly unread?: UnreadRoom | undefined;
}

/** What a link hands over: a text, or a chunk of bytes. */
type Message = string | Uint8Array;

/** Makes the dialect of one connection. */
export type DialectFactory<Inbound extends Message = string> = (connection: Connection<Inbound>) => Dialect<Inbound>;

/** Options of {@link Connection}. */
export interface ConnectionOptions<Inbound extends Message = string> {
  readonly transport: Link<Inbound>;
  readonly dialect: DialectFactory<Inbound>;
  readonly logger: Logger;
  /** Time of `handshakeMs` that has passed already. */
  readonly elapsedMs?: number;
  readonly heartbeat?: Heartbeat;
  readonly limits?: ConnectionLimits;
  /** The share of the loop that its messages count to until {@link Connection.accept} names another; without one each is handled as it comes. */
  readonly share?: LoopShare;
}

/**
 * One accepted connection of a client or an agent: its id, its state, its write queue. `Inbound` is what its link hands over:
 * texts on the session wire, chunks of bytes on the relay's.
 *
 * A connection closes by itself when the handshake takes too long (4401), when the peer does not read (4408), and when its
 * dialect throws (4500). It cuts a link that does not end after a close.
 */
export class Connection<Inbound extends Message = string> {
  /** In the logs; a UUID. */
  readonly id: string = newId();
  /** Resolves when the link has ended and the dialect was notified. */
  readonly closed: Promise<TransportClose>;

  readonly #transport: Link<Inbound>;
  readonly #logger: Logger;
  readonly #dialect: Dialect<Inbound>;
  readonly #queue: WriteQueue;
  readonly #inbound: InboundQueue<Inbound | LargeInbound>;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #limits: ConnectionLimits;
  readonly #pulse = {
    ping: () => this.#ping(),
    isBusy: () => this.#inbound.isHeldBack || (this.#dialect.isBusy?.() ?? false),
    onSilent: () => this.#silent(),
  };
  #state: ConnectionState = "connecting";
  #peerName = "unknown";
  #deadline: NodeJS.Timeout | undefined;
  #markClosed!: (event: TransportClose) => void;

  constructor(options: ConnectionOptions<Inbound>) {
    const { transport, limits = {} } = options;
    this.#transport = transport;
    this.#logger = options.logger;
    this.#limits = limits;
    this.#heartbeat = options.heartbeat;
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
    this.#queue = new WriteQueue({
      ...{ transport, ...limits },
      onSlow: (error) => this.fail(error, CloseCode.slowConsumer),
      // Who reads no answers gets to ask for no more of them.
      onFull: (isFull) => this.#inbound.setPaused("unread answers", isFull),
    });
    this.#inbound = new InboundQueue(options.share, {
      handle: (message) => this.#received(message),
      // Who hands over bytes may use their buffer again.
      keep: (message) => (message instanceof Uint8Array ? message.slice() : message) as Inbound | LargeInbound,
      setPaused: (isPaused) => transport.setPaused?.(isPaused),
    });
    this.#dialect = options.dialect(this);
    // What came before the end is acted on before it.
    transport.onClose = (event) => this.#inbound.onceEmpty(() => this.#ended(event));
    transport.onMessage = (message) => this.#receive(message);
    if (this.#dialect.beginLarge !== undefined) transport.onLargeMessage = () => this.#beginLarge();
    this.#step("opened");
    const handshakeMs = Math.max(0, (limits.handshakeMs ?? DAEMON_LIMITS.authenticateMs) - (options.elapsedMs ?? 0));
    this.#deadline = setTimeout(() => this.#handshakeExpired(handshakeMs), handshakeMs);
    this.#guard(() => this.#dialect.onOpen?.());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The name that the peer claims; for logs only, since it is not verified. */
  get peerName(): string {
    return this.#peerName;
  }

  /** The sink of senders that check for a full queue themselves. */
  get outbox(): Pick<WriteQueue, "isFull" | "isDraining" | "send" | "onceWritable"> {
    return this.#queue;
  }

  /** True while the peer has to read before more events should be sent. */
  get isFull(): boolean {
    return this.#queue.isFull;
  }

  /** Bytes accepted by {@link send} that have not left this process. */
  get bufferedBytes(): number {
    return this.#queue.bufferedBytes;
  }

  /** Sends one message. False: it was accepted but the peer must catch up first, or the connection has ended. */
  send(text: string): boolean {
    return this.#queue.send(text);
  }

  /** Calls back once when the peer has caught up. */
  onceWritable(callback: () => void): void {
    this.#queue.onceWritable(callback);
  }

  /**
   * Marks the handshake as successful.
   *
   * @param account what its messages count to from now on; default: what they counted to before
   */
  accept(peerName: string, account?: ConnectionAccount): void {
    this.#peerName = peerName;
    if (account !== undefined) {
      const { share, debt, unread } = account;
      this.#inbound.use(share, debt);
      this.#queue.use(share, unread);
    }
    if (!this.#step("accepted")) return;
    clearTimeout(this.#deadline);
    // A timer that is over is still an object with a function.
    this.#deadline = undefined;
    if (this.#dialect.ping !== undefined) this.#heartbeat?.add(this.#pulse);
    this.#guard(() => this.#dialect.onActive?.());
  }

  /** Ends politely: what was sent is written first. Cut when the link has not ended within `closeMs`. */
  close(code: number = CloseCode.normal, reason = ""): void {
    const wasActive = this.#state === "active";
    if (!this.#step("close", { code, reason })) return;
    this.#release();
    this.#inbound.release();
    const finalMessage = this.#dialect.finalMessage?.();
    if (finalMessage !== undefined) this.#queue.send(finalMessage);
    this.#queue.close();
    const closeMs = this.#limits.closeMs ?? LIMITS.closeTimeoutMs;
    // An unauthenticated peer must not keep its socket for longer by not answering the close.
    const graceMs = wasActive ? closeMs : Math.min(closeMs, SERVING_LIMITS.strangerCloseMs);
    this.#deadline = setTimeout(() => this.#transport.terminate(), graceMs);
    this.#transport.close(code, reason);
  }

  /** Closes because of an error, which is logged, passed to the dialect, and named in the close reason. */
  fail(error: DaemonError, code: number): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#logger.warn({ ...this.#who(), code: error.code }, error.message);
    this.#guard(() => this.#dialect.onError?.(error));
    this.close(code, error.code);
  }

  /** Closes as {@link fail} does because the peer does not read, and without waiting for it: what waits for it is dropped. */
  cut(error: DaemonError): void {
    this.fail(error, CloseCode.slowConsumer);
    this.#transport.terminate();
  }

  /** The only place that writes the state. False when the event is invalid now. */
  #step(event: ConnectionEvent, fields: object = {}): boolean {
    const next = nextConnectionState(this.#state, event);
    if (next === undefined) return false;
    this.#logger.debug({ ...this.#who(), from: this.#state, to: next, ...fields }, "connection");
    this.#state = next;
    return true;
  }

  /** A link that does not pass on large messages in parts does not change what a message may be. */
  #receive(message: Inbound): void {
    const isLargeText = typeof message === "string" && message.length > LIMITS.largeMessageBytes;
    if (!isLargeText || this.#dialect.beginLarge === undefined) {
      this.#inbound.receive(message);
      return;
    }
    const large = this.#beginLarge();
    large.push(Buffer.from(message));
    large.end();
  }

  #beginLarge(): LargeMessage {
    const setPaused = (isPaused: boolean) => this.#inbound.setPaused("large message", isPaused);
    const message = this.#dialect.beginLarge?.(setPaused);
    return {
      push: (part) => this.#inbound.takePart(() => message?.push(part)),
      end: () => message && this.#inbound.receive(message),
    };
  }

  #received(message: Inbound | LargeInbound): void {
    if (this.#state !== "handshaking" && this.#state !== "active") return;
    this.#heartbeat?.received(this.#pulse);
    this.#guard(() => (isLarge(message) ? message.handle() : this.#dialect.onMessage(message)));
  }

  #ended(event: TransportClose): void {
    const { code, reason, clean } = event;
    if (!this.#step("ended", { code, reason, clean })) return;
    this.#release();
    this.#queue.close();
    this.#guard(() => this.#dialect.onClose(event));
    this.#markClosed(event);
  }

  #handshakeExpired(handshakeMs: number): void {
    this.fail(new TimeoutError("The handshake", handshakeMs, { code: "CONNECT_TIMEOUT" }), CloseCode.unauthenticated);
  }

  #ping(): void {
    this.#guard(() => this.#dialect.ping?.());
  }

  #silent(): void {
    this.fail(new ConnectionError("CONNECTION_LOST", "The peer gave no sign of life."), CloseCode.goingAway);
    // A dead peer does not answer a polite close.
    this.#transport.terminate();
  }

  #release(): void {
    clearTimeout(this.#deadline);
    this.#heartbeat?.remove(this.#pulse);
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      const message = `The ${this.#dialect.name} dialect failed: ${cause instanceof Error ? cause.message : String(cause)}`;
      this.fail(new DaemonError("INTERNAL", message, { cause }), CloseCode.internalError);
    }
  }

  #who(): object {
    return { connection: this.id, peer: this.#peerName };
  }
}

function isLarge<Inbound extends Message>(message: Inbound | LargeInbound): message is LargeInbound {
  return typeof message === "object" && "handle" in message;
}
