import type { Socket } from "node:net";
import { CloseCode, type Logger } from "@daemon-sdk/protocol";
import type { ByteLink } from "@daemon-sdk/transport-ws";
import { type AcceptedBytes, Connection, FrameLink, type Guest, Heartbeat, SocketBytes } from "../connection/index.js";
import type { RelayLimits } from "../limits/index.js";
import type { RelayHost } from "./relay-host.js";
import type { Admission, RelayConnection } from "./wire/index.js";

/** Options of {@link RelayDoor}. */
export interface RelayDoorOptions {
  readonly host: RelayHost;
  readonly limits: RelayLimits & { readonly connectionBufferBytes: number; readonly closeTimeoutMs: number };
  readonly logger: Logger;
  /** Whether HELLO's `ticket` is a good credential, for pages, which cannot make a proof. */
  isTicket(ticket: string): boolean;
}

/** The relay's connections: makes them of what the listener accepted, and ends them with the daemon. */
export class RelayDoor {
  readonly #options: RelayDoorOptions;
  readonly #connections = new Set<RelayConnection>();
  readonly #heartbeat: Heartbeat;
  #isClosed = false;

  constructor(options: RelayDoorOptions) {
    this.#options = options;
    const { relayHeartbeatMs, relayMissedBeats } = options.limits;
    // It is given up at the beat that ends the last interval (docs/wire/relay.md#heartbeat), so one ping fewer goes
    // unanswered.
    this.#heartbeat = new Heartbeat({ intervalMs: relayHeartbeatMs, missedBeats: relayMissedBeats - 1 });
  }

  /** How many connections there are. */
  get size(): number {
    return this.#connections.size;
  }

  /** Takes a unix socket: who can open it belongs to us. Its bytes are unread. */
  acceptSocket(socket: Socket, guest: Guest): void {
    guest.upgraded();
    const admission: Admission = { isTrusted: true, verify: () => false, onAdmitted: () => guest.authenticated() };
    this.#open(new SocketBytes(socket), admission, guest.acceptedAt);
  }

  /** Takes an upgraded WebSocket. On TCP anybody of this machine may come so far: HELLO has to prove something. */
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

  /** Says BYE to everybody; resolves when all connections are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.close(CloseCode.goingAway, "the daemon stops");
    await Promise.all([...this.#connections].map(({ closed }) => closed));
  }

  /** @param acceptedAt `performance.now()` at accept: the time for HELLO counts from there */
  #open(bytes: ByteLink, admission: Admission, acceptedAt: number): void {
    const { host, limits, logger } = this.#options;
    const connection: RelayConnection = new Connection<Uint8Array>({
      transport: new FrameLink(bytes),
      dialect: (self) => host.dialect(self, admission),
      logger,
      elapsedMs: performance.now() - acceptedAt,
      heartbeat: this.#heartbeat,
      limits: {
        handshakeMs: limits.relayHandshakeMs,
        bufferBytes: limits.connectionBufferBytes,
        // Who does not read does not answer pings either; what waits is in its mailbox, and costs nobody.
        slowMs: limits.relayHeartbeatMs * limits.relayMissedBeats,
        closeMs: limits.closeTimeoutMs,
      },
    });
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    if (this.#isClosed) connection.close(CloseCode.goingAway, "the daemon stops");
  }
}
