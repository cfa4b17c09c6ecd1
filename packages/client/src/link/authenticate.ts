import {
  ConnectionError,
  type DaemonCapabilities,
  isRecord,
  type LocalDaemonEndpoint,
  type ProtocolEngine,
  TimeoutError,
} from "@daemon-sdk/protocol";
import { withoutUndefined } from "../base/index.js";
import type { Credential } from "./credential.js";
import type { DaemonIdentity } from "./daemon-identity.js";

/** Options of {@link authenticate}. */
export interface AuthenticateOptions {
  readonly credential: Credential;
  /** For the daemon's statistics: `metadata.tracing` (docs/wire/session.md#authentication). */
  readonly machineType: string;
  readonly endpoint?: LocalDaemonEndpoint;
  readonly signal?: AbortSignal;
}

/**
 * Authenticates on a fresh link (docs/wire/session.md#authentication); its request has to be the first message of the link.
 *
 * Rejects with `ConnectionError`: AUTH_REJECTED for a refusal, CONNECTION_LOST as soon as the link ends, CONNECT_TIMEOUT when no
 * answer comes within 30 s; with a `ProtocolError` VERSION_MISMATCH when the daemon wants another version.
 */
export async function authenticate(engine: ProtocolEngine, options: AuthenticateOptions): Promise<DaemonIdentity> {
  const { credential, machineType, signal, endpoint } = options;
  const params = {
    ...credential,
    caller: "droid-sdk",
    metadata: { tracing: { machineType }, sdk: { language: "typescript" } },
  };
  try {
    // By name, because the table of methods is in the half of the client that a page loads later.
    const result = await engine.requestNamed("authenticate", params, withoutUndefined({ signal }));
    return identityOf(result, endpoint);
  } catch (error) {
    if (!TimeoutError.is(error)) throw error;
    const text = `The daemon did not answer to authentication within ${error.timeoutMs} ms.`;
    throw new ConnectionError("CONNECT_TIMEOUT", text, { cause: error });
  }
}

/** Capabilities are kept as the daemon states them; no code asks for unknown ones. */
function identityOf(result: unknown, endpoint: LocalDaemonEndpoint | undefined): DaemonIdentity {
  const { userId, orgId, capabilities, instanceId } = isRecord(result) ? result : {};
  return {
    userId: typeof userId === "string" ? userId : "",
    orgId: typeof orgId === "string" ? orgId : "",
    capabilities: isRecord(capabilities) ? (capabilities as DaemonCapabilities) : {},
    ...withoutUndefined({ endpoint, instanceId: typeof instanceId === "string" ? instanceId : undefined }),
  };
}
