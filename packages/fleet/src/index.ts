import { connect } from "@nats-io/transport-node";
import { type ConnectFleet, createConnectFleet } from "./service/index.js";

export * from "./public-api.js";

/**
 * Connects a service to its fleet. Handlers and `reconnect` are those of each connection to a machine.
 *
 * Rejects with an `InvalidOptionError`; with CONNECTION_FAILED or AUTH_REJECTED when NATS or its JetStream cannot be used.
 */
export const connectFleet: ConnectFleet = createConnectFleet(connect);
