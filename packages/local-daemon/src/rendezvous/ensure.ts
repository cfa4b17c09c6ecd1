import type { EnsureLocalDaemonOptions, LocalDaemonEndpoint } from "@daemon-sdk/protocol";
import { ensureDroidDaemon } from "./droid-launch.js";
import { type DaemonLaunch, SharedStart } from "./launch/index.js";
import { awaitOwner } from "./owner-file.js";
import { endpointOf, probeLocalDaemon } from "./probe.js";
import { type StartedDaemon, startDaemon } from "./start-daemon.js";
import { resolveStateDir } from "./state-dir.js";

const starts = new SharedStart<StartedDaemon>();

/**
 * Finds the local daemon of this user, or starts one, and tells where it is. Calls at the same time share one start;
 * so do programs: exactly one daemon runs per state directory.
 *
 * The daemon outlives the caller. With `execPath` (or `FACTORY_DROID_BINARY` in the environment) it is a plain
 * `droid daemon` instead, which cannot prove itself (docs/security.md, "A plain droid daemon").
 *
 * A state directory whose daemon is run by a program of its own gets no other one: that program is waited for.
 *
 * Rejects with a `ConnectionError` (`DAEMON_START_FAILED`, `DAEMON_NOT_RUNNING`, `STATE_DIR_UNSAFE`; the code of the daemon's own
 * error where a later start would fail by it, too), or with the reason of `signal`.
 */
export async function ensureLocalDaemon(options: EnsureLocalDaemonOptions = {}): Promise<LocalDaemonEndpoint> {
  const stateDir = options.stateDir ?? resolveStateDir();
  const droid = droidProgram(options);
  if (droid !== undefined) return ensureDroidDaemon({ program: droid, stateDir, signal: options.signal });
  const found = (await probeLocalDaemon(stateDir, options.signal)) ?? (await awaitOwner(stateDir, options.signal));
  if (found !== undefined) {
    found.link.transport.terminate();
    return endpointOf(found.record, false);
  }
  const { record, started } = await joinStart({ stateDir, program: options.daemonProgram }, options.signal);
  return endpointOf(record, started);
}

/** Waits for the start of our daemon that is under way in this process, or begins it. */
export function joinStart(launch: DaemonLaunch, signal: AbortSignal | undefined): Promise<StartedDaemon> {
  return starts.join(launch.stateDir, (abandoned) => startDaemon(launch, abandoned), signal);
}

/** The program of a plain daemon, when one is asked for (docs/wire/session.md#local-daemon). */
export function droidProgram(options: EnsureLocalDaemonOptions): string | undefined {
  return options.execPath ?? (process.env.FACTORY_DROID_BINARY || undefined);
}
