const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Whether a JSON text nests deeper than `limit` containers, found without parsing the text.
 *
 * A text with at most `limit` opening brackets, strings included, passes after its brackets are counted. Other texts are
 * scanned to the end, once. For text that is no JSON the result is meaningless, and `JSON.parse` refuses the text anyway.
 */
export function exceedsDepth(text: string, limit: number): boolean {
  let openers = 0;
  for (let at = text.indexOf("{"); at !== -1 && openers <= limit; at = text.indexOf("{", at + 1)) openers++;
  for (let at = text.indexOf("["); at !== -1 && openers <= limit; at = text.indexOf("[", at + 1)) openers++;
  return openers > limit && scanDepth(text, limit);
}

function scanDepth(text: string, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: // [
        depth++;
        if (depth > limit) return true;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
      case QUOTE:
        at = endOfString(text, at);
        break;
    }
  }
  return false;
}

/** Index of the quote that closes the string opened at `start`, or of the text's end. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}

/** An escape of an ASCII letter or `_`, which a disguised key needs and no usual encoder writes. */
const ESCAPED_LETTER = /\\u00[4-7]/;

/**
 * Cheap test on the text: false means that no key in it can be `__proto__` or `prototype`. Both contain `proto`, unless a
 * letter of it is written as an escape.
 */
export function mayHoldUnsafeKey(text: string): boolean {
  return text.includes("proto") || (text.includes("\\u") && ESCAPED_LETTER.test(text));
}

/**
 * Whether a parsed value holds, at any depth, a key that can replace a prototype once somebody copies it with `=` or a
 * deep merge: `__proto__`, or `constructor` over an object with `prototype`. Recursive: check the depth first.
 */
export function hasUnsafeKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  for (const [key, child] of Object.entries(value)) {
    if (key === "__proto__") return true;
    if (key === "constructor" && typeof child === "object" && child !== null && Object.hasOwn(child, "prototype"))
      return true;
    if (hasUnsafeKey(child)) return true;
  }
  return false;
}
