import { SERVING_LIMITS } from "../limits/index.js";
/** A text without its middle if it is too long. The end is kept, because it contains the remedy. */
export function briefText(text: string): string {
  if (text.length <= SERVING_LIMITS.errorTextChars) return text;
  return `${text.slice(0, SERVING_LIMITS.errorTextChars / 2)}…${text.slice(1 - SERVING_LIMITS.errorTextChars / 2)}`;
}
