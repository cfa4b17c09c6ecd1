import { ConnectionError, DaemonError, ProtocolEngine } from "@daemon-sdk/protocol";
import { UNIX_AUTHORITY } from "../access/index.js";
import { PROCESS_LIMITS } from "../limits/index.js";
import { dialProven, type FoundDaemon, probeLocalDaemon, readToken, unixUrl } from "../rendezvous/index.js";
import { LOCAL_DAEMON_VERSION } from "../version.js";
import { DOOR_CALLS, DOOR_VERSION, isLeft } from "./hand-over-door.js";
import type { Left } from "./leave-order.js";

/** What is asked of the daemon that runs. */
export interface FormerOrder {
  readonly stateDir: string;
  /** As of `LeaveOrder`. */
  readonly waitMs?: number | undefined;
}

/** A daemon that has left for this one. */
export interface FormerDaemon extends Left {
  /** Closes the link. Before another daemon serves, that makes the former one go on. */
  close(): void;
}

/**
 * Asks the daemon of a state directory to hand over to this process; resolves when the directory is free, undefined when no daemon
 * runs. Rejects with `DAEMON_ALREADY_RUNNING` when it refuses, or is too old to know how; it goes on then.
 */
export async function askToHandOver({ stateDir, waitMs }: FormerOrder): Promise<FormerDaemon | undefined> {
  const params = { version: DOOR_VERSION, to: LOCAL_DAEMON_VERSION, ...(waitMs === undefined ? {} : { waitMs }) };
  return ask(stateDir, DOOR_CALLS.handOver, params);
}

/** Asks the daemon to stop, with a deadline for its turns; resolves when it has. As {@link askToHandOver} otherwise. */
export async function askToStop({ stateDir, waitMs = 0 }: FormerOrder): Promise<Left | undefined> {
  const former = await ask(stateDir, DOOR_CALLS.stop, { waitMs });
  former?.close();
  return former;
}

async function ask(stateDir: string, method: string, params: object): Promise<FormerDaemon | undefined> {
  const found = await probeLocalDaemon(stateDir);
  if (found === undefined) return undefined;
  found.link.transport.terminate();
  const { transport, credential } = await dialDoor(stateDir, found);
  const engine = new ProtocolEngine(transport, { prefix: "daemon" });
  try {
    // As long as the turns may take.
    const left = await engine.requestNamed(method, { ...credential, ...params }, { timeoutMs: 0 });
    if (!isLeft(left)) throw refused(found, "its answer is none");
    return { ...left, close: () => engine.close() };
  } catch (error) {
    engine.close();
    throw DaemonError.is(error, "DAEMON_ALREADY_RUNNING") ? error : refused(found, reasonOf(error), error);
  }
}

async function dialDoor(stateDir: string, { record }: FoundDaemon) {
  const token = await readToken(stateDir);
  if (token === undefined) throw refusedBy(record.version, "it has published no token");
  try {
    return await dialProven({
      url: `${unixUrl(record.socket)}hand-over`,
      ...{ authority: UNIX_AUTHORITY, token, instanceId: record.instanceId, timeoutMs: PROCESS_LIMITS.probeMs },
    });
  } catch (cause) {
    throw refusedBy(record.version, "it is too old to hand over", cause);
  }
}

function reasonOf(error: unknown): string {
  if (DaemonError.is(error) && "peerMessage" in error && typeof error.peerMessage === "string")
    return error.peerMessage;
  return error instanceof Error ? error.message : String(error);
}

function refused({ record }: FoundDaemon, why: string, cause?: unknown): ConnectionError {
  return refusedBy(record.version, why, cause);
}

function refusedBy(version: string, why: string, cause?: unknown): ConnectionError {
  return new ConnectionError(
    "DAEMON_ALREADY_RUNNING",
    `The daemon that runs (version ${version}) did not hand over: ${why}. It goes on. ` +
      'End it with "local-daemon stop", which gives its turns a few seconds, and start the new one.',
    { cause },
  );
}
