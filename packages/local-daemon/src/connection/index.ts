export { briefText } from "./brief-text.js";
export { Connection, type ConnectionAccount, type ConnectionLimits } from "./connection.js";
export type { Dialect, LargeInbound } from "./dialect.js";
export { FrameLink } from "./frame-link.js";
export { Heartbeat } from "./heartbeat.js";
export { type LoopShare, LoopShares } from "./loop-shares.js";
export { SocketBytes } from "./socket-bytes.js";
export { UnreadRoom } from "./unread-room.js";
