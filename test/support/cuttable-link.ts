import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A port of 127.0.0.1 that leads to a unix socket until it is cut. */
export interface CuttableLink {
  readonly port: number;
  /** Breaks every connection that passes, without a word to either side. */
  cut(): void;
  close(): Promise<void>;
}

/** Opens a port that forwards to the socket at `path`, byte by byte. */
export async function openCuttableLink(path: string): Promise<CuttableLink> {
  const sockets = new Set<Socket>();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    const far = connect(path);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => sockets.delete(socket));
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
