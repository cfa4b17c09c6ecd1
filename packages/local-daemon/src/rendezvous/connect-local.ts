import { ConnectionError, type ConnectLocalOptions, InvalidOptionError, type LocalLink } from "@daemon-sdk/protocol";
import { dialWebSocket } from "@daemon-sdk/transport-ws";
import { tcpAuthority } from "../access/index.js";
import { PROCESS_LIMITS } from "../limits/index.js";
import { type DroidOptions, ensureDroidDaemon } from "./droid-launch.js";
import { droidProgram, joinStart } from "./ensure.js";
import { notRunning } from "./not-running.js";
import { awaitOwner } from "./owner-file.js";
import { endpointOf, type FoundDaemon, probeLocalDaemon } from "./probe.js";
import { dialProven } from "./proven-dial.js";
import { checkStateDir, resolveStateDir } from "./state-dir.js";
import { readToken } from "./token.js";

/**
 * Opens a link to the local daemon of this user, which is started when none runs, and makes the credential for it.
 *
 * The link is returned only after the daemon has proven itself. The credential is a proof for this link only, so the token
 * itself is never sent. With `daemonPort` the link uses TCP to a daemon that already listens there. A peer that cannot prove
 * itself is refused with `PEER_NOT_PROVEN`, and has received only a nonce.
 *
 * Rejects as `ensureLocalDaemon` does, with `DAEMON_NOT_RUNNING` when none runs and `start` is false, or with `CONNECTION_FAILED`
 * when nothing listens at `daemonPort`.
 */
export async function connectLocal(options: ConnectLocalOptions = {}): Promise<LocalLink> {
  const stateDir = options.stateDir ?? resolveStateDir();
  if (options.daemonPort !== undefined) return connectPort(stateDir, options.daemonPort, options.signal);
  const program = droidProgram(options);
  if (program !== undefined) return connectDroid({ ...options, program, stateDir });
  return connectOurs({ ...options, stateDir });
}

/** Options of {@link connectOurs}. */
export type OurDaemonOptions = Pick<ConnectLocalOptions, "signal" | "start" | "daemonProgram"> & { stateDir: string };

/** A link to our daemon over its unix socket; it is started when none runs, unless `start` is false. */
export async function connectOurs(options: OurDaemonOptions): Promise<LocalLink> {
  const { stateDir, signal, start = true, daemonProgram: program } = options;
  const found = await probeLocalDaemon(stateDir, signal);
  if (found !== undefined) return linkTo(found, false);
  if (!start) throw notRunning(stateDir);
  const owned = await awaitOwner(stateDir, signal);
  if (owned !== undefined) return linkTo(owned, false);
  const { started } = await joinStart({ stateDir, program }, signal);
  const fresh = await probeLocalDaemon(stateDir, signal);
  if (fresh !== undefined) return linkTo(fresh, started);
  throw new ConnectionError("CONNECTION_FAILED", "The local daemon ended right after it had started. See its log.");
}

/** Makes the returned link of a proven dial. */
export function linkTo({ record, link }: FoundDaemon, started: boolean): LocalLink {
  return { transport: link.transport, endpoint: endpointOf(record, started), credential: link.credential };
}

async function connectPort(stateDir: string, port: number, signal: AbortSignal | undefined): Promise<LocalLink> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidOptionError("daemonPort", "1 to 65535", port);
  const token = (await checkStateDir(stateDir)) ? await readToken(stateDir) : undefined;
  if (token === undefined) {
    throw new ConnectionError(
      "PEER_NOT_PROVEN",
      `No daemon of yours has published a token in ${stateDir}, so what listens on port ${port} cannot be told from a ` +
        `stranger. Start it with "local-daemon start --port ${port}", or pass apiKey or token to connect without proof.`,
    );
  }
  const url = `ws://${tcpAuthority(port)}`;
  const timeoutMs = PROCESS_LIMITS.probeMs;
  const link = await dialProven({ url, authority: tcpAuthority(port), token, signal, timeoutMs });
  const { instanceId, version } = link;
  return {
    transport: link.transport,
    endpoint: { kind: "ours", url, started: false, instanceId, version, port },
    credential: link.credential,
  };
}

/** A plain daemon has no proof: the caller provides the key. The endpoint's kind is `droid`. */
async function connectDroid(options: DroidOptions): Promise<LocalLink> {
  const endpoint = await ensureDroidDaemon(options);
  const transport = await dialWebSocket(endpoint.url, options.signal === undefined ? {} : { signal: options.signal });
  return { transport, endpoint, credential: {} };
}
