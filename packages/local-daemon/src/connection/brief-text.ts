import { WIRE_LIMITS } from "../limits/index.js";
/** A text without its middle when it is too long: at its end stands what to do. */
export function briefText(text: string): string {
  if (text.length <= WIRE_LIMITS.errorTextChars) return text;
  return `${text.slice(0, WIRE_LIMITS.errorTextChars / 2)}…${text.slice(1 - WIRE_LIMITS.errorTextChars / 2)}`;
}
