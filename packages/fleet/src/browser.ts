import { wsconnect } from "@nats-io/nats-core";
import { type ConnectFleet, createConnectFleet } from "./service/index.js";

export * from "./public-api.js";

/**
 * Connects a page to its fleet, over the WebSocket of NATS: `servers` are addresses such as `wss://nats.example.com:8443`. Otherwise as
 * `connectFleet` of the entry for Node.
 *
 * Whoever can read the page's memory has its `credentials`, so give a page those of a service that may do no more than the page's user.
 */
export const connectFleet: ConnectFleet = createConnectFleet(wsconnect);
