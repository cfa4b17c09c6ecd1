import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { RelayClient } from "@daemon-sdk/client/relay";
import { FakeDaemon, memoryTransport } from "@daemon-sdk/testing";
import { dialWebSocket } from "@daemon-sdk/transport-ws";
import { closing, type Places, type Prepare, pause, quiet, startStream, url } from "./closing-case.js";
import { HALF_OPEN_CASES } from "./half-open-cases.js";
import { say } from "./role.js";

/** A connect that is under way; to close it is to abort its signal and see it reject. */
const connecting = (port: (places: Places) => number, wait: number, options = {}): Prepare => {
  return async (places, event) => {
    const controller = new AbortController();
    const attempt = connectDaemon({
      url: url(port(places)),
      apiKey: "any",
      signal: controller.signal,
      onStatus: (status) => status.type === "connected" && event(),
      ...options,
    });
    attempt.catch(quiet);
    await pause(wait);
    return {
      close: () => {
        controller.abort();
        return attempt.then(quiet, quiet);
      },
    };
  };
};

/** A ready connection, and its activity at the close. */
const ready = (busy: (connection: DaemonConnection, session: DaemonSession, event: () => void) => unknown): Prepare => {
  return async ({ daemon }, event) => {
    const connection = await connectDaemon({ url: url(daemon), apiKey: "any" });
    const session = await connection.createSession({ cwd: "/" });
    let isClosed = false;
    session.onNotification(() => isClosed && event());
    await busy(connection, session, () => isClosed && event());
    return {
      close: async () => {
        await connection.close();
        isClosed = true;
      },
    };
  };
};

/** A connection over a fake daemon, which can be brought into states that a real one is in for a moment only. */
const faked = (
  prepare: (daemon: FakeDaemon, connection: DaemonConnection, session: DaemonSession) => unknown,
): Prepare => {
  return async (_places, event) => {
    const daemon = new FakeDaemon();
    const connection = await connectDaemon({ transport: daemon.dial, apiKey: "any" });
    const session = await connection.createSession({ cwd: "/" });
    await prepare(daemon, connection, session);
    let isClosed = false;
    session.onNotification(() => isClosed && event());
    return {
      close: async () => {
        await connection.close();
        isClosed = true;
      },
    };
  };
};

const transport = (close: (link: Awaited<ReturnType<typeof dialWebSocket>>) => void): Prepare => {
  return async ({ daemon }, event) => {
    const link = await dialWebSocket(url(daemon));
    let ends = 0;
    const ended = new Promise<void>((resolve) => {
      link.onClose = () => {
        ends += 1;
        if (ends > 1) event();
        resolve();
      };
    });
    link.onMessage = () => ends > 0 && event();
    return {
      close: () => {
        close(link);
        return ended;
      },
    };
  };
};

/** @param wait for so long while it connects; below zero, until it has */
const relay = (isNobody: boolean, wait: number, prepare: (client: RelayClient) => unknown = quiet): Prepare => {
  return async ({ socketPath, nobody }, event) => {
    const given = isNobody ? { url: `${url(nobody)}/relay` } : { socketPath };
    const client = new RelayClient({ agentName: `closing-${process.pid}`, ...given });
    const connecting = client.connect();
    connecting.catch(quiet);
    if (wait < 0) await connecting;
    else await pause(wait);
    await prepare(client);
    let isClosed = false;
    client.onPresence = () => isClosed && event();
    return {
      close: async () => {
        await client.close();
        isClosed = true;
      },
    };
  };
};

/** Every state of every machine on this side, by name. */
export const CLOSING_CASES: ReadonlyMap<string, Prepare> = new Map<string, Prepare>([
  ...HALF_OPEN_CASES,
  ["connection dialing a silent port", connecting(({ silent }) => silent, 30)],
  ["connection dialing, at once", connecting(({ silent }) => silent, 0)],
  ["connection authenticating", connecting(({ mute }) => mute, 60)],
  ["connection waiting for its next attempt", connecting(({ nobody }) => nobody, 60, { maxRetries: 50 })],
  ["connection ready", ready(quiet)],
  ["connection ready, with a stream running", ready((_connection, session) => startStream(session))],
  ["connection ready, with a call pending", ready((connection) => void connection.listOpenedSessions().catch(quiet))],
  ["connection ready, with a status iterator", ready((connection) => void consume(connection.status()))],
  ["connection ready, session closed", ready((_connection, session) => session.close())],
  ["connection ready, session detached", ready((_connection, session) => session.detach())],
  ["connection ready, closed twice", ready((connection) => void connection.close())],
  ["connection closed", ready((connection) => connection.close())],
  [
    "connection without reconnect, ready",
    async ({ daemon }) => ({
      ...closing(await connectDaemon({ url: url(daemon), apiKey: "any", reconnect: false })),
    }),
  ],
  [
    "connection without sessions",
    async ({ daemon }) => closing(await connectDaemon({ url: url(daemon), apiKey: "any" })),
  ],
  ["connection over the unix socket", async () => closing(await connectDaemon())],
  ["connection waiting after a loss", faked((daemon) => daemon.stop())],
  ["connection just cut", faked((daemon) => daemon.cut())],
  [
    "connection waiting after a loss, with a stream",
    faked((daemon, _connection, session) => {
      daemon.onPrompt(() => new Promise(quiet));
      startStream(session);
      daemon.stop();
    }),
  ],
  [
    "connection waiting after a loss, with a call",
    faked((daemon, connection) => {
      daemon.stop();
      void connection.listOpenedSessions().catch(quiet);
    }),
  ],
  [
    "connection with a turn that never ends",
    faked((daemon, _connection, session) => {
      daemon.onPrompt(() => new Promise(quiet));
      startStream(session);
    }),
  ],
  ["connection to a daemon that restarts", faked((daemon) => daemon.restart())],
  ["connection after the daemon said goodbye", faked((daemon) => daemon.closeConnections(1001, "stops"))],
  ["session idle", onSession(quiet)],
  ["session streaming", onSession(startStream)],
  ["session with a message on its way", onSession((session) => void session.send("go").catch(quiet))],
  ["session closed", onSession((session) => session.close())],
  ["session detached", onSession((session) => session.detach())],
  ["session interrupted", onSession((session) => session.interrupt())],
  ["transport open, close", transport((link) => link.close())],
  ["transport open, terminate", transport((link) => link.terminate())],
  [
    "transport closing, terminate",
    transport((link) => {
      link.close();
      link.terminate();
    }),
  ],
  [
    "transport with bytes that wait",
    transport((link) => {
      for (let index = 0; index < 100; index += 1) link.send(`{"filler":"${"x".repeat(10_000)}"}`);
      link.terminate();
    }),
  ],
  [
    "transport closed",
    transport((link) => {
      link.terminate();
      link.close();
      link.close();
    }),
  ],
  [
    "memory transport",
    async () => {
      const { near, far } = memoryTransport();
      const ended = new Promise<void>((resolve) => {
        far.onClose = () => resolve();
      });
      return {
        close: () => {
          near.close();
          return ended;
        },
      };
    },
  ],
  ["relay client idle", async () => closing(new RelayClient({ agentName: "idle" }))],
  ["relay client connecting", relay(false, 0)],
  ["relay client ready", relay(false, -1)],
  ["relay client ready, with messages awaited", relay(false, -1, (client) => void consume(client.messages()))],
  [
    "relay client ready, with a request pending",
    relay(false, -1, (client) => void client.request("nobody", "x").catch(quiet)),
  ],
  ["relay client waiting", relay(true, 60)],
  ["relay client closed", relay(false, -1, (client) => client.close())],
]);

function onSession(prepare: (session: DaemonSession) => unknown): Prepare {
  return async ({ daemon }, event) => {
    const connection = await connectDaemon({ url: url(daemon), apiKey: "any" });
    const session = await connection.createSession({ cwd: "/" });
    await prepare(session);
    let isClosed = false;
    session.onNotification(() => isClosed && event());
    return {
      close: async () => {
        await session.close();
        isClosed = true;
        await connection.close();
      },
    };
  };
}

async function consume(events: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _event of events);
  } catch {
    // It ends with the connection, whichever way.
  }
}

/** Plays one case, and then does nothing more: this process has to end by itself. */
export async function playClosingClient([name = "", places = "{}"]: readonly string[]): Promise<void> {
  let events = 0;
  const prepared = await CLOSING_CASES.get(name)?.(JSON.parse(places) as Places, () => {
    events += 1;
  });
  const started = performance.now();
  await prepared?.close();
  const tookMs = performance.now() - started;
  process.once("exit", () => process.send?.({ tookMs, events }));
  say({ tookMs });
  // The scenario's own channel must not be what holds the process.
  process.channel?.unref();
}
