import { SERVING_LIMITS } from "../limits/index.js";
/** A text without its middle when it is too long: at its end stands what to do. */
export function briefText(text: string): string {
  if (text.length <= SERVING_LIMITS.errorTextChars) return text;
  return `${text.slice(0, SERVING_LIMITS.errorTextChars / 2)}…${text.slice(1 - SERVING_LIMITS.errorTextChars / 2)}`;
}
