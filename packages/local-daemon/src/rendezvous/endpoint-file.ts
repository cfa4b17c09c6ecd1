import { join } from "node:path";
import * as z from "zod/mini";
import { readPrivateFile, writePrivateFile } from "./private-file.js";
import { STATE_FILES } from "./state-dir.js";

/** Where the daemon of a state directory listens, as the endpoint file tells it. A claim: only a proof makes it true. */
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

const endpointSchema = z.object({
  socket: z.string().check(z.minLength(1), z.regex(/^\//)),
  port: z.exactOptional(z.int().check(z.gte(1), z.lte(65_535))),
  pid: z.int().check(z.gte(1)),
  startTime: z.string(),
  instanceId: z.string().check(z.minLength(1)),
  version: z.string().check(z.minLength(1)),
});

/** Tells programs of this user where the daemon is. Replaced in one step: a reader never sees a part of it. */
export function writeEndpoint(stateDir: string, endpoint: EndpointRecord): Promise<void> {
  return writePrivateFile(join(stateDir, STATE_FILES.endpoint), `${JSON.stringify(endpoint)}\n`);
}

/** What the endpoint file says, or undefined when it is missing, cut off, garbage, or not ours. Never rejects. */
export async function readEndpoint(stateDir: string): Promise<EndpointRecord | undefined> {
  const text = await readPrivateFile(join(stateDir, STATE_FILES.endpoint));
  if (text === undefined) return undefined;
  try {
    const parsed = endpointSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
