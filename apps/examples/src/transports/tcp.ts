import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { ConnectionError, type Dial, joinTransports, type Transport } from "@daemon-sdk/protocol";
import { StreamTransport } from "@daemon-sdk/transport-ws";
import type { LinkOptions } from "./link-options.js";

/** Dials `tcp://host:port`: pass it as `connectDaemon({ transport: dialTcp(), url })`. */
export function dialTcp(options: LinkOptions = {}): Dial {
  return async ({ url, signal }) => {
    const { protocol, hostname, port } = new URL(url);
    if (protocol !== "tcp:")
      throw new ConnectionError("CONNECTION_FAILED", `Expected tcp://host:port, got ${protocol}`);
    const socket = connect({ host: hostname, port: Number(port) });
    try {
      await once(socket, "connect", { signal });
    } catch (cause) {
      socket.destroy();
      signal.throwIfAborted();
      const text = `Nothing answers at tcp://${hostname}:${port}. Is the gateway running?`;
      throw new ConnectionError("CONNECTION_FAILED", text, { cause });
    }
    return overSocket(socket, options);
  };
}

/** A listening end. */
export interface TcpServer {
  readonly port: number;
  /** Stops listening and ends every link. */
  close(): Promise<void>;
}

/** Options of {@link serveTcp}. */
export interface ServeTcpOptions extends LinkOptions {
  /** Default: one that is free. */
  readonly port?: number;
  readonly host?: string;
  /** Called with each new link. The link is not read before its `onMessage` is set, so that the other side of a bridge can be made first. */
  onLink(transport: Transport): void;
}

/** Accepts such links. */
export async function serveTcp({
  port = 0,
  host = "127.0.0.1",
  onLink,
  ...bounds
}: ServeTcpOptions): Promise<TcpServer> {
  const links = new Set<Socket>();
  const server = createServer((socket) => {
    links.add(socket);
    socket.once("close", () => links.delete(socket));
    onLink(overSocket(socket, bounds));
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of links) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/**
 * A gateway before a daemon: each link that comes in gets one of its own to the daemon, made by `dialDaemon`, such as
 * `async () => (await connectLocal()).transport`. The gateway holds no credential: who comes has to have one for the daemon.
 *
 * The bytes are not encrypted. Listen on a trusted network only, or behind TLS.
 */
export function openGateway(dialDaemon: () => Promise<Transport>, options: Omit<ServeTcpOptions, "onLink"> = {}) {
  return serveTcp({
    ...options,
    onLink: (client) => joinTransports(client, dialDaemon()),
  });
}

function overSocket(socket: Socket, options: LinkOptions): StreamTransport {
  // Messages are small, and a client waits for each of them.
  socket.setNoDelay(true);
  return new StreamTransport({ ...options, input: socket, output: socket });
}
