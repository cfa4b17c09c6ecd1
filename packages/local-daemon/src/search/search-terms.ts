import { type Run, runsOf, type Token } from "./tokens.js";

/** One thing that is looked for: any of these phrases. */
export interface Term {
  readonly phrases: readonly (readonly string[])[];
  /** Whether its last token may be the beginning of a longer one: somebody is typing it. */
  readonly isPrefix: boolean;
}

/** A text as the index holds it. */
export interface IndexedText {
  readonly words: string;
  /** Inner words of identifiers. */
  readonly parts: string;
}

/** A token that no text holds: a phrase does not run from one identifier into the next. */
const BETWEEN_IDENTIFIERS = "\u{10fffd}";

/** What a query asks for: all of these; the last one may be the beginning of a word. */
export function termsOf(query: string): Term[] {
  const runs = runsOf(query);
  return runs.map((run, index) => ({ phrases: phrasesOf(run), isPrefix: index === runs.length - 1 }));
}

/** The terms as a query of FTS5. A token holds neither quotes nor other ASCII punctuation. */
export function matchExpression(terms: readonly Term[]): string {
  const phrase = (tokens: readonly string[], isPrefix: boolean) => `"${tokens.join(" ")}"${isPrefix ? "*" : ""}`;
  return terms
    .map(({ phrases, isPrefix }) => `(${phrases.map((tokens) => phrase(tokens, isPrefix)).join(" OR ")})`)
    .join(" AND ");
}

/** The tokens of a text in the form the index takes, whose tokenizer splits at spaces and does nothing else to them. */
export function indexedText(text: string): IndexedText {
  const runs = runsOf(text);
  const words = runs.map(({ tokens }) => tokens.map(textOf).join(" ")).join(" ");
  const identifiers = runs.flatMap(({ parts }) => parts.map((inner) => inner.map(textOf).join(" ")));
  return { words, parts: identifiers.join(` ${BETWEEN_IDENTIFIERS} `) };
}

/** `UserProfile` stands for itself, and for the words user and profile in this order: in an identifier or beside each other. */
function phrasesOf({ tokens, parts }: Run): string[][] {
  const phrases = [tokens.map(textOf)];
  const inner = parts[0];
  if (tokens.length === 1 && inner !== undefined) phrases.push(inner.map(textOf));
  return phrases;
}

function textOf({ text }: Token): string {
  return text;
}
