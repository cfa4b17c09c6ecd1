import type { Socket } from "node:net";
import { CloseCode, type Logger } from "@daemon-sdk/protocol";
import type { ByteLink } from "@daemon-sdk/transport-ws";
import { PERSON } from "../../access/index.js";
import { Connection, FrameLink, Heartbeat, type LoopShares, SocketBytes } from "../../connection/index.js";
import type { RelayLimits } from "../../limits/index.js";
import type { AcceptedBytes, PendingSocket } from "../../listener/index.js";
import type { Admission } from "./handshake.js";
import { RelayDialect, type RelayGate } from "./relay-dialect.js";
import type { RelayConnection } from "./relay-writer.js";

/** Options of {@link RelayListener}. */
export interface RelayListenerOptions {
  readonly host: RelayGate;
  readonly limits: RelayLimits & { readonly connectionBufferBytes: number; readonly closeTimeoutMs: number };
  readonly logger: Logger;
  readonly shares: LoopShares;
  /** Whether HELLO's `ticket` is valid. Tickets are for pages, which cannot make a proof. */
  isTicket(ticket: string): boolean;
}

/** The relay's connections: made of what the listener accepts, and closed with the daemon. */
export class RelayListener {
  readonly #options: RelayListenerOptions;
  readonly #connections = new Set<RelayConnection>();
  readonly #heartbeat: Heartbeat;
  #isClosed = false;

  constructor(options: RelayListenerOptions) {
    this.#options = options;
    const { relayHeartbeatMs, relayMissedBeats } = options.limits;
    // A peer is dead at the beat that ends its last interval (docs/wire/relay.md#heartbeat): one missed beat fewer.
    this.#heartbeat = new Heartbeat({ intervalMs: relayHeartbeatMs, missedBeats: relayMissedBeats - 1 });
  }

  /** Number of connections. */
  get size(): number {
    return this.#connections.size;
  }

  /** Takes a unix socket, which only programs of this user can open. Its bytes are unread. */
  acceptSocket(socket: Socket, pending: PendingSocket): void {
    pending.upgraded();
    const { isTicket } = this.#options;
    const admission: Admission = {
      isTrusted: true,
      verify: ({ ticket }) => ticket !== undefined && isTicket(ticket),
      onAdmitted: () => pending.authenticated(),
    };
    this.#open(new SocketBytes(socket), admission, pending.acceptedAt);
  }

  /** Takes an upgraded WebSocket. Over TCP any program of this machine gets here, so HELLO needs a proof or a ticket. */
  acceptWebSocket({ bytes, via, acceptedAt, verifyProof, markAuthenticated }: AcceptedBytes): void {
    const { isTicket } = this.#options;
    const admission: Admission = {
      isTrusted: via === "unix",
      verify: ({ proof, ticket }) =>
        (proof !== undefined && verifyProof(proof)) || (ticket !== undefined && isTicket(ticket)),
      onAdmitted: markAuthenticated,
    };
    this.#open(bytes, admission, acceptedAt);
  }

  /** Sends BYE on every connection; resolves when all of them have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.close(CloseCode.goingAway, "the daemon stops");
    await Promise.all([...this.#connections].map(({ closed }) => closed));
  }

  /** @param acceptedAt `performance.now()` at accept: the time for HELLO counts from there */
  #open(bytes: ByteLink, admission: Admission, acceptedAt: number): void {
    const { host, limits, logger, shares } = this.#options;
    const accountOf = (isProven: boolean) => (isProven ? { share: shares.of(PERSON.keyId) } : shares.program());
    const connection: RelayConnection = new Connection<Uint8Array>({
      transport: new FrameLink(bytes),
      dialect: (self) => new RelayDialect(self, host, { admission, accountOf }),
      share: shares.strangers,
      logger,
      elapsedMs: performance.now() - acceptedAt,
      heartbeat: this.#heartbeat,
      limits: {
        handshakeMs: limits.relayHandshakeMs,
        bufferBytes: limits.connectionBufferBytes,
        // A peer that does not read answers no pings either. What waits for it is in its mailbox.
        slowMs: limits.relayHeartbeatMs * limits.relayMissedBeats,
        closeMs: limits.closeTimeoutMs,
      },
    });
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    if (this.#isClosed) connection.close(CloseCode.goingAway, "the daemon stops");
  }
}
