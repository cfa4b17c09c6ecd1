import {
  ConnectionError,
  type DaemonCapabilities,
  errorOfResponse,
  isFailure,
  isRecord,
  type LocalDaemonEndpoint,
  newId,
  type ProtocolEngine,
  TimeoutError,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import { CLIENT_VERSION } from "../base/index.js";
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
 * Rejects with `ConnectionError`: AUTH_REJECTED for a refused credential, CONNECTION_LOST as soon as the link ends,
 * CONNECT_TIMEOUT when no answer comes within 30 s; with a `ProtocolError` VERSION_MISMATCH when the daemon requires another
 * version, INVALID_PARAMS or REMOTE_ERROR when the daemon cannot read the request.
 */
export async function authenticate(engine: ProtocolEngine, options: AuthenticateOptions): Promise<DaemonIdentity> {
  const { credential, machineType, signal, endpoint } = options;
  const params = {
    ...credential,
    caller: "droid-sdk",
    metadata: { tracing: { machineType }, sdk: { language: "typescript", version: CLIENT_VERSION } },
  };
  const id = newId();
  // A daemon that cannot read the request answers without its id. No other request was sent on this link.
  engine.onStrayResponse = (response) => {
    if (response.id === null && isFailure(response))
      engine.abandon(id, errorOfResponse({ id, method: "daemon.authenticate", params }, response.error));
  };
  try {
    // By name, because the table of methods is in the half of the client that a page loads later.
    const result = await engine.requestNamed("authenticate", params, { id, ...withoutUndefined({ signal }) });
    return identityOf(result, endpoint);
  } catch (error) {
    if (!TimeoutError.is(error)) throw error;
    const text = `The daemon did not answer to authentication within ${error.timeoutMs} ms.`;
    throw new ConnectionError("CONNECT_TIMEOUT", text, { cause: error });
  } finally {
    engine.onStrayResponse = undefined;
  }
}

/** Capabilities are kept as the daemon states them; no code reads unknown ones. */
function identityOf(result: unknown, endpoint: LocalDaemonEndpoint | undefined): DaemonIdentity {
  const { userId, orgId, capabilities, instanceId } = isRecord(result) ? result : {};
  return {
    userId: typeof userId === "string" ? userId : "",
    orgId: typeof orgId === "string" ? orgId : "",
    capabilities: isRecord(capabilities) ? (capabilities as DaemonCapabilities) : {},
    ...withoutUndefined({ endpoint, instanceId: typeof instanceId === "string" ? instanceId : undefined }),
  };
}
