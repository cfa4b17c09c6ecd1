import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectDaemon, type DaemonSession } from "@daemon-sdk/client";
import { RelayClient } from "@daemon-sdk/client/relay";
import { ChaosProxy, type ChaosProxyOptions } from "@daemon-sdk/testing/node";
import { type Case, closing, type Places, type Prepare, quiet, startStream, url } from "./closing-case.js";

/** A case on a link that goes half-open before it is closed. */
const halfOpen = (
  options: (places: Places) => ChaosProxyOptions,
  open: (proxy: ChaosProxy) => Promise<Case>,
): Prepare => {
  return async (places) => {
    const proxy = await ChaosProxy.start(options(places));
    const { close } = await open(proxy);
    return {
      close: async () => {
        await close();
        // It stands for the network here, and must not be what holds the process.
        void proxy.close();
      },
    };
  };
};

/** @param busy is called on a live link, `last` once nothing passes any more */
const halfOpenConnection = (
  busy: (session: DaemonSession) => unknown,
  last: (session: DaemonSession) => unknown = quiet,
) =>
  halfOpen(
    ({ daemon }) => ({ target: { port: daemon } }),
    async (proxy) => {
      const connection = await connectDaemon({ url: url(proxy.port), apiKey: "any" });
      const session = await connection.createSession({ cwd: "/" });
      await busy(session);
      for (const link of proxy.connections) link.stall();
      last(session);
      return closing(connection);
    },
  );

const halfOpenRelay = halfOpen(
  ({ socketPath }) => ({
    target: { path: socketPath },
    listen: { path: join(tmpdir(), `closing-${process.pid}.sock`) },
  }),
  async (proxy) => {
    const { path: socketPath } = proxy.address as { path: string };
    const client = new RelayClient({ agentName: "half-open", socketPath });
    await client.connect();
    for (const link of proxy.connections) link.stall();
    return closing(client);
  },
);

/** More than the network between takes. */
function sendMuch(session: DaemonSession): void {
  for (let count = 0; count < 4; count += 1) session.send("x".repeat(8_000_000)).catch(quiet);
}

/** States of which the peer knows nothing any more, by name. */
export const HALF_OPEN_CASES: readonly (readonly [string, Prepare])[] = [
  ["connection half-open", halfOpenConnection(quiet)],
  ["connection half-open, with a stream running", halfOpenConnection(startStream)],
  [
    "connection half-open, with a call pending",
    halfOpenConnection(quiet, (session) => void session.fork().catch(quiet)),
  ],
  ["connection half-open, with bytes that wait", halfOpenConnection(quiet, sendMuch)],
  ["relay client half-open", halfOpenRelay],
];
