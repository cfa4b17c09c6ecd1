import { ConnectionError } from "@daemon-sdk/protocol";
import {
  type ConnectDaemon,
  createConnectDaemon,
  type FleetPackage,
  type LocalDaemonPackage,
  localPlatform,
  withFleets,
} from "./connect/index.js";

export * from "./public/index.js";

/**
 * Connects to a daemon and authenticates.
 *
 * Without options: to the daemon on this machine, which is found or started (needs `@daemon-sdk/local-daemon`) and proves itself
 * before a credential is sent. With `url` or another `machine`: to that daemon, with `apiKey` or `token`. With a machine of a fleet: over
 * NATS (needs `@daemon-sdk/fleet`), which knows the caller by `machine.credentials`.
 *
 * Rejects with `InvalidOptionError` before anything is done; `ConnectionError` AUTH_REJECTED for a refused credential, which is
 * not retried; AUTH_MISSING; LOCAL_DAEMON_UNAVAILABLE; CONNECTION_FAILED or CONNECT_TIMEOUT when the retries of the machine's
 * type are used up; MACHINE_GONE when a machine of a fleet is not online; with the reason of `signal`.
 */
export const connectDaemon: ConnectDaemon = withFleets(
  createConnectDaemon(
    localPlatform({
      loadLocalDaemon,
      environmentApiKey: () => {
        // This entry is also what runtimes load that are neither Node nor a browser.
        const key = typeof process === "undefined" ? undefined : process.env.FACTORY_API_KEY?.trim();
        return key === "" ? undefined : key;
      },
    }),
  ),
  loadFleet,
);

async function loadFleet(): Promise<FleetPackage> {
  try {
    // Its types are not read: they name this package, and who bundles types cannot follow the circle.
    return (await import("@daemon-sdk/fleet" as string)) as FleetPackage;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectionError(
      "LOCAL_DAEMON_UNAVAILABLE",
      `A machine of a fleet needs the package @daemon-sdk/fleet, which could not be loaded. Install it. ${text}`,
      { cause },
    );
  }
}

/** Kept, because `import()` of a module that is loaded looks it up anew for each connection. */
let localDaemon: LocalDaemonPackage | undefined;

async function loadLocalDaemon(): Promise<LocalDaemonPackage> {
  try {
    localDaemon ??= await import("@daemon-sdk/local-daemon");
    return localDaemon;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectionError(
      "LOCAL_DAEMON_UNAVAILABLE",
      "A local machine needs the package @daemon-sdk/local-daemon, which could not be loaded. Install it, or connect to a daemon " +
        `that runs with \`url\`. ${text}`,
      { cause },
    );
  }
}
