import { FakeClock, FakeDaemon, type FakeDaemonOptions, type FakePrompt } from "@daemon-sdk/testing";
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

/** Waits until the turn is interrupted; with `cut`, cuts in a later tick and goes on. */
export async function untilAborted(prompt: FakePrompt, cut?: () => void): Promise<void> {
  if (cut === undefined) {
    await new Promise<void>((resolve) => prompt.signal.addEventListener("abort", () => resolve(), { once: true }));
    return;
  }
  await new Promise((resolve) => setImmediate(resolve));
  cut();
}

/** The kinds of events, in order. */
export function types(events: readonly { type: string }[]): string[] {
  return events.map(({ type }) => type);
}
