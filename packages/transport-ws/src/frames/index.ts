export { MessageTap } from "./message-tap.js";
export type { LargeMessage } from "./taken-message.js";
export { FRAMED_UNITS, textFrame } from "./text-frame.js";
