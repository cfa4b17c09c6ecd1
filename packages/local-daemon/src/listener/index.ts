export { bindTcp } from "./bind.js";
export type { Accepted, AcceptedBytes } from "./http-front.js";
export { type Listener, openListener } from "./listener.js";
export type { PendingSocket } from "./pending-sockets.js";
