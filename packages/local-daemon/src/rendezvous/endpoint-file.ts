import { join } from "node:path";
import { isRecord } from "@daemon-sdk/protocol";
import { readPrivateFile, writePrivateFile } from "./private-file.js";
import { STATE_FILES } from "./state-dir.js";

/** Content of the endpoint file: where the daemon of a state directory listens. Unverified until the daemon has proven itself. */
export interface EndpointRecord {
  /** Absolute path of the unix socket. */
  readonly socket: string;
  /** TCP port on 127.0.0.1; absent when it listens on none. */
  readonly port?: number | undefined;
  /** For messages to people; pids are reused, so it never decides anything. */
  readonly pid: number;
  /** When that process started, ISO 8601; for people, too. */
  readonly startTime: string;
  readonly instanceId: string;
  /** Version of the daemon. */
  readonly version: string;
}

/** Publishes the endpoint for programs of this user. The file is replaced atomically. */
export function writeEndpoint(stateDir: string, endpoint: EndpointRecord): Promise<void> {
  return writePrivateFile(join(stateDir, STATE_FILES.endpoint), `${JSON.stringify(endpoint)}\n`);
}

/** Reads the endpoint file; undefined when it is missing, truncated, invalid, or not ours. Never rejects. */
export async function readEndpoint(stateDir: string): Promise<EndpointRecord | undefined> {
  const text = await readPrivateFile(join(stateDir, STATE_FILES.endpoint));
  if (text === undefined) return undefined;
  try {
    const record: unknown = JSON.parse(text);
    return isEndpointRecord(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** By hand and not by schema: the daemon reads this file before it has anything else to check. */
function isEndpointRecord(value: unknown): value is EndpointRecord {
  if (!isRecord(value)) return false;
  const { socket, port, pid, startTime, instanceId, version } = value;
  return (
    typeof socket === "string" &&
    socket.startsWith("/") &&
    (port === undefined || (isWhole(port) && port <= 65_535)) &&
    isWhole(pid) &&
    typeof startTime === "string" &&
    isText(instanceId) &&
    isText(version)
  );
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
