import type { Socket } from "node:net";

/** The protocol of a connection, by its first byte. */
export type FirstByte = "http" | "relay" | "tls" | "unknown";

/** A relay frame starts with the high byte of its length, which is 0 for any frame under 16 MiB (docs/architecture.md). */
const RELAY = 0x00;
/** A record of a TLS handshake. */
const TLS = 0x16;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

/**
 * Calls back once with the peer's protocol, and leaves its bytes unread. Never calls back for a silent peer.
 *
 * `readable`, `read`, `unshift`: an HTTP server that is handed the socket then finds everything it needs. (Listening to
 * `data` and pausing loses requests.)
 */
export function onFirstByte(socket: Socket, callback: (kind: FirstByte) => void): void {
  socket.once("readable", () => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) {
      socket.destroy();
      return;
    }
    socket.unshift(chunk);
    callback(kindOf(chunk[0]));
  });
}

function kindOf(byte: number | undefined): FirstByte {
  if (byte === RELAY) return "relay";
  if (byte === TLS) return "tls";
  return byte !== undefined && byte >= UPPER_A && byte <= UPPER_Z ? "http" : "unknown";
}
