import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { type NatsIdentity, type NatsOptions, openNatsBy } from "../nats-base/index.js";

/**
 * Connects to NATS over a TCP socket, in Node. Rejects with CONNECTION_FAILED when no server can be reached, and with AUTH_REJECTED when
 * the server refuses the credentials.
 */
export function openNats(options: NatsOptions, identity: NatsIdentity): Promise<NatsConnection> {
  return openNatsBy(connect, options, identity);
}
