import { FakeClock, FakeDaemon, type FakeDaemonOptions } from "@daemon-sdk/testing";
import {
  type ConnectDaemonOptions,
  type ConnectionStatus,
  connectDaemon,
  type DaemonConnection,
} from "../../src/index.js";

/** A connection to a fake daemon whose time a test moves, and what it told of itself. */
export interface Linked {
  readonly daemon: FakeDaemon;
  readonly clock: FakeClock;
  readonly connection: DaemonConnection;
  readonly statuses: ConnectionStatus[];
}

/** Connects; nothing of the connection runs on real time from then on. */
export async function linked(
  daemonOptions: FakeDaemonOptions = {},
  options: ConnectDaemonOptions = {},
): Promise<Linked> {
  const clock = new FakeClock();
  const daemon = new FakeDaemon({ clock, ...daemonOptions });
  const statuses: ConnectionStatus[] = [];
  const onStatus = (status: ConnectionStatus) => void statuses.push(status);
  const connection = await connectDaemon({ transport: daemon.dial, apiKey: "fk-test", clock, onStatus, ...options });
  return { daemon, clock, connection, statuses };
}

/** Lets time pass until the connection is there again. */
export async function cameBack({ clock, statuses }: Linked, times = 1): Promise<void> {
  const isBack = () => statuses.filter(({ type }) => type === "connected").length > times;
  for (let steps = 0; !isBack(); steps += 1) {
    if (steps > 100 || (await clock.advanceToNext()) === 0) throw new TypeError("The connection did not come back");
  }
}
