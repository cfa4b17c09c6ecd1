/** What the beginning of a message says of it. */
export interface EnvelopeHead {
  readonly type?: string;
  /** A number where the wire allows one. */
  readonly id?: string | number;
  readonly method?: string;
}

/** Characters of a message that are looked at. */
const HEAD_CHARS = 4096;
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:]|-?\d+/g;
const NAMES = new Set(["type", "id", "method"]);

/** Whether a text was meant to be a message: every message says early that it is one. */
export function looksLikeFrame(text: string): boolean {
  return text.slice(0, HEAD_CHARS).includes('"jsonrpc"');
}

/**
 * Reads `type`, `id` and `method` from the beginning of a message that cannot be read as a whole: it is too large, or broken.
 *
 * Looks at the keys of the envelope itself and not at those inside `params` or `result`.
 */
export function envelopeHead(text: string): EnvelopeHead {
  const head: Record<string, string | number> = {};
  let depth = 0;
  let last: string | number = "";
  let key = "";
  for (const [token] of text.slice(0, HEAD_CHARS).matchAll(TOKENS)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (token === ":") key = depth === 1 ? String(last) : "";
    else {
      last = unquoted(token);
      if (depth === 1 && NAMES.has(key)) head[key] ??= last;
      key = "";
    }
    if (token === "{" || token === "[") key = "";
  }
  return head;
}

function unquoted(token: string): string | number {
  try {
    return JSON.parse(token) as string | number;
  } catch {
    return "";
  }
}
