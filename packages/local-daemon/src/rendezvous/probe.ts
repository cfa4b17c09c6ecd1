import type { LocalDaemonEndpoint } from "@daemon-sdk/protocol";
import { UNIX_AUTHORITY } from "../access/index.js";
import { PROCESS_LIMITS } from "../limits/index.js";
import { type EndpointRecord, readEndpoint } from "./endpoint-file.js";
import { dialProven, type ProvenLink } from "./proven-dial.js";
import { checkStateDir } from "./state-dir.js";
import { readToken } from "./token.js";

/** A living daemon, and the link on which it proved itself. */
export interface FoundDaemon {
  readonly record: EndpointRecord;
  readonly link: ProvenLink;
}

/**
 * The daemon of a state directory, if one is alive: a handshake that returns the recorded instance with a valid proof.
 *
 * Never decided by a pid (they are reused) or by a connection that opens (anybody can listen). Undefined for everything
 * that is not that: no file, garbage, a dead socket, a stranger. Rejects with `STATE_DIR_UNSAFE`, or the signal's reason.
 */
export async function probeLocalDaemon(stateDir: string, signal?: AbortSignal): Promise<FoundDaemon | undefined> {
  if (!(await checkStateDir(stateDir))) return undefined;
  const [record, token] = await Promise.all([readEndpoint(stateDir), readToken(stateDir)]);
  signal?.throwIfAborted();
  if (record === undefined || token === undefined) return undefined;
  try {
    const link = await dialProven({
      url: unixUrl(record.socket),
      authority: UNIX_AUTHORITY,
      token,
      instanceId: record.instanceId,
      signal,
      timeoutMs: PROCESS_LIMITS.probeMs,
    });
    return { record, link };
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

/** The `ws+unix:` URL of a socket file. */
export function unixUrl(socketPath: string): string {
  const path = encodeURI(socketPath).replaceAll("?", "%3F").replaceAll("#", "%23");
  return `ws+unix://${path}:/`;
}

/** The public description of one of our daemons. */
export function endpointOf(record: EndpointRecord, started: boolean): LocalDaemonEndpoint {
  return {
    kind: "ours",
    url: unixUrl(record.socket),
    started,
    pid: record.pid,
    instanceId: record.instanceId,
    version: record.version,
    ...(record.port === undefined ? {} : { port: record.port }),
  };
}
