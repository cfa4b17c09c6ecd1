export { bodyText } from "./body-text.js";
export type { JsonBody } from "./description/index.js";
export {
  createEnvelope,
  type Envelope,
  EnvelopeFault,
  type EnvelopeFields,
  isEnvelope,
  PROTOCOL_VERSION,
  type RelayEnvelope,
  readEnvelope,
} from "./envelope.js";
export type * from "./fleet-mail.js";
export * from "./frame-parser.js";
export * from "./frame-writer.js";
export * from "./guards.js";
export * from "./message-types.js";
export type * from "./payloads/index.js";
export type { Delivery, SendMeta, SyncMeta } from "./side-bands.js";
