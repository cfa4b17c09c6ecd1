import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { TlsCertificate } from "./tls-certificate.js";

/**
 * Speaks TLS on a socket whose first bytes are unread; calls back with the socket of what is inside once the handshake is done. A peer
 * that fails it is cut. The two sockets end with each other, so that the deadline of the outer one holds for the handshake, too.
 */
export function onSecured(socket: Socket, { context }: TlsCertificate, callback: (inside: Socket) => void): void {
  const inside = new TLSSocket(socket, { isServer: true, secureContext: context, ALPNProtocols: ["http/1.1"] });
  // A peer may reset at any time, and until the upgrade nothing else listens for it.
  inside.on("error", () => inside.destroy());
  inside.once("secure", () => callback(inside));
}
