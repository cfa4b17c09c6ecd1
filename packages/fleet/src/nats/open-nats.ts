import { ConnectionError } from "@daemon-sdk/protocol";
import {
  AuthorizationError,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  PermissionViolationError,
  RequestError,
  UserAuthenticationExpiredError,
} from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { FLEET_LIMITS } from "../limits/index.js";

/** How a program reaches the NATS servers of its fleet. */
export interface NatsOptions {
  /** Addresses, such as `nats://nats-1.example.com:4222`. One is enough: the servers name the others. */
  readonly servers: string | readonly string[];
  /** The text of a credentials file (`.creds`). Default: none, for a server without accounts. */
  readonly credentials?: string;
  /**
   * Domain of the cluster's JetStream (`domain` in its configuration), for a program whose server is a leaf: a leaf passes on the
   * interface of JetStream by that name only. Default: none.
   */
  readonly domain?: string;
}

/** Who connects. */
export interface NatsIdentity {
  /** Name of the connection in the server's monitoring. */
  readonly name: string;
  /** Where answers to its requests go; nobody else may listen there. Default: NATS's own. */
  readonly inbox?: string;
}

/**
 * Connects to NATS. The connection is restored for as long as it is not closed. Rejects with CONNECTION_FAILED when no server can be
 * reached, and with AUTH_REJECTED when the server refuses the credentials.
 */
export async function openNats({ servers, credentials }: NatsOptions, identity: NatsIdentity): Promise<NatsConnection> {
  const options: ConnectionOptions = {
    servers: typeof servers === "string" ? servers : [...servers],
    name: identity.name,
    ...(identity.inbox === undefined ? {} : { inboxPrefix: identity.inbox }),
    maxReconnectAttempts: -1,
    reconnectTimeWait: FLEET_LIMITS.reconnectWaitMs,
    reconnectJitter: FLEET_LIMITS.reconnectJitterMs,
    reconnectJitterTLS: FLEET_LIMITS.reconnectJitterMs,
    pingInterval: FLEET_LIMITS.pingIntervalMs,
    maxPingOut: FLEET_LIMITS.pingsWithoutAnswer,
    ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
  };
  try {
    return await connect(options);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    if (isRefusal(cause)) throw natsRefusal(cause as Error);
    const where = typeof servers === "string" ? servers : servers.join(", ");
    throw new ConnectionError("CONNECTION_FAILED", `NATS at ${where} cannot be reached: ${text}.`, { cause });
  }
}

/** Closes a connection, behind what was published on it. While NATS is away nothing can be, and a flush would wait for its return. */
export async function closeNats(nats: NatsConnection, isAway: boolean): Promise<void> {
  if (!isAway) await nats.flush().catch(() => {});
  await nats.close();
}

/**
 * The error for what NATS refuses from now on: a subject, or the connection as a whole. The client gives up a connection only when the
 * server refuses its credentials repeatedly; the cause that it states may be the end of a socket all the same.
 */
export function natsRefusal(cause: Error): ConnectionError {
  return new ConnectionError("AUTH_REJECTED", `NATS refuses the credentials: ${cause.message}.`, { cause });
}

/** Whether NATS refuses the credentials: at all, since they expired, or for a subject that their permissions do not name. */
export function isRefusal(cause: unknown): boolean {
  if (cause instanceof RequestError) return isRefusal(cause.cause);
  return (
    cause instanceof AuthorizationError ||
    cause instanceof UserAuthenticationExpiredError ||
    cause instanceof PermissionViolationError
  );
}
