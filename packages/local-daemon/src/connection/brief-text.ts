/** Longest text of an error on a wire: what a peer sent is named in it, and not sent back as a whole. */
const TEXT_CHARS = 800;

/** A text without its middle when it is too long: at its end stands what to do. */
export function briefText(text: string): string {
  if (text.length <= TEXT_CHARS) return text;
  return `${text.slice(0, TEXT_CHARS / 2)}…${text.slice(1 - TEXT_CHARS / 2)}`;
}
