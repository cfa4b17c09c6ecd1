import { SEARCH_LIMITS } from "../limits/index.js";
import type { Term } from "./search-terms.js";
import { runsOf, type Token } from "./tokens.js";

/** Where the terms are in one text. */
export interface TextMatch {
  /** The first places with what is around them. */
  readonly snippets: readonly string[];
  /** How often the terms occur. */
  readonly score: number;
}

/** Looks for every term in a text; undefined when one is missing. Finds what the index finds. */
export function findInText(text: string, terms: readonly Term[], contextChars: number): TextMatch | undefined {
  const runs = runsOf(text);
  const streams = [runs.flatMap(({ tokens }) => tokens), ...runs.flatMap(({ parts }) => parts)];
  const places = new Set<number>();
  for (const term of terms) {
    const found = streams.flatMap((stream) => placesIn(stream, term));
    if (found.length === 0) return undefined;
    for (const place of found) places.add(place);
  }
  const inOrder = [...places].sort((a, b) => a - b);
  const snippets = inOrder.slice(0, SEARCH_LIMITS.snippets).map((at) => cut(text, at, contextChars));
  return { snippets: [...new Set(snippets)], score: inOrder.length };
}

function placesIn(stream: readonly Token[], { phrases, isPrefix }: Term): number[] {
  const places: number[] = [];
  for (const phrase of phrases) {
    for (let start = 0; start + phrase.length <= stream.length; start += 1) {
      if (isAt(stream, start, phrase, isPrefix)) places.push(stream[start]?.at ?? 0);
    }
  }
  return places;
}

function isAt(stream: readonly Token[], start: number, phrase: readonly string[], isPrefix: boolean): boolean {
  const last = phrase.length - 1;
  return phrase.every((wanted, index) => {
    const text = stream[start + index]?.text;
    return text === wanted || (isPrefix && index === last && text?.startsWith(wanted) === true);
  });
}

/** What is around a place, without a half of a character at its ends. */
function cut(text: string, at: number, contextChars: number): string {
  const from = Math.max(0, at - contextChars);
  const to = Math.min(text.length, at + contextChars);
  const inside = text.slice(from, to).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "");
  return `${from > 0 ? "…" : ""}${inside}${to < text.length ? "…" : ""}`;
}
