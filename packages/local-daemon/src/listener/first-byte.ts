import type { Socket } from "node:net";

/** What the first byte of a connection says it is going to speak. */
export type FirstByte = "http" | "relay" | "unknown";

/** A relay frame starts with the high byte of its length, which is 0 for any frame under 16 MiB (docs/architecture.md). */
const RELAY = 0x00;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;

/**
 * Calls back once with what the peer starts to speak, leaving its bytes in place; not at all when it says nothing.
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
  return byte !== undefined && byte >= UPPER_A && byte <= UPPER_Z ? "http" : "unknown";
}
