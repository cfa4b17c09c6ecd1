export { ConnectedPeer } from "./connected-peer.js";
export { fittingPage, type Shortenable } from "./fitting-page.js";
export { type Admission, greet } from "./handshake.js";
export { RateLimit } from "./rate-limit.js";
export { ReceiptWriter } from "./receipt-writer.js";
export { RelayDialect, type RelayGate } from "./relay-dialect.js";
export { type RelayConnection, RelayVoice } from "./relay-voice.js";
