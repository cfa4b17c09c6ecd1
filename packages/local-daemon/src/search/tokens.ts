import { SEARCH_LIMITS } from "../limits/index.js";

/**
 * One normalisation for what is indexed and for what is looked for.
 *
 * Case, accents and the ways to write one letter (NFC, NFD, full and half width) do not count. In scripts that are written
 * without spaces between words, every code point is a token: a phrase of such tokens is a substring of any length, so that
 * what a person types is found inside a run. A trigram index would find no word of one or two characters, and most Chinese
 * and Korean words have two; it would also find `ring` in `string`, which nobody looks for in a language with spaces.
 */

/** A word, or one code point of a script without spaces. `at` and `end` are places in the text it comes from. */
export interface Token {
  readonly text: string;
  readonly at: number;
  readonly end: number;
}

/** Word characters that follow one another. `parts` are the inner words of its identifiers, such as `loadUserProfile`. */
export interface Run {
  readonly tokens: readonly Token[];
  readonly parts: readonly (readonly Token[])[];
}

/**
 * A run of ASCII, or one character with everything that belongs to it: marks, invisible characters, jamo that end its
 * syllable, half-width voicing marks. Normalising these pieces one by one gives what normalising the whole gives, and keeps their places.
 */
const PIECES =
  /[A-Za-z0-9]+(?![\p{M}\p{DI}\u0640\u1160-\u11ff\ud7b0-\ud7fb\uff9e\uff9f])|[\s\S][\p{M}\p{DI}\u0640\u1160-\u11ff\ud7b0-\ud7fb\uff9e\uff9f]*/gu;
/** Scripts in which a mark is an accent or a vowel that people leave out. Elsewhere (Devanagari, Thai) marks are letters. */
const ACCENTS = /([\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{sc=Arabic}\p{sc=Hebrew}])\p{M}+/gu;
/** Soft hyphens, joiners, marks of direction, variation selectors; and the Arabic stroke that only lengthens a word. */
const INVISIBLE = /[\p{DI}\u0640]/gu;
const WORD = /[\p{L}\p{N}\p{M}\p{Co}]/u;
/** With the characters that several of them share, such as the Japanese sign for a long vowel. Korean has spaces, but particles attach to words. */
const SPACELESS =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}\p{scx=Yi}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}\p{scx=Tibetan}\p{scx=Javanese}\p{scx=Balinese}\p{scx=Tai_Le}\p{scx=New_Tai_Lue}\p{scx=Tai_Tham}\p{scx=Tai_Viet}]/u;
const ASCII = /^[A-Za-z0-9]+$/;
const ASCII_WORDS = /[A-Za-z0-9]+/g;
const ONLY_ASCII = /^[\0-\x7f]*$/;
const CAPITAL = /[A-Z]/;
const INNER_WORDS = /[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+/g;

/** One code point of a folded piece, and what it is to a reader of words. */
interface Letter {
  readonly text: string;
  readonly kind: "word" | "alone" | "between";
}

const remembered = new Map<string, readonly Letter[]>();

/** Every run of word characters in a text, in its order. */
export function runsOf(text: string): Run[] {
  if (ONLY_ASCII.test(text)) return asciiRunsOf(text);
  const reader = new RunReader(text);
  for (const { 0: piece, index } of text.matchAll(PIECES)) {
    if (ASCII.test(piece)) reader.word(piece.toLowerCase(), index, piece.length);
    else for (const letter of lettersOf(piece)) reader.letter(letter, index, piece.length);
  }
  return reader.finish();
}

/** The same for most texts, in a third of the time: there, a run is one word. */
function asciiRunsOf(text: string): Run[] {
  return Array.from(text.matchAll(ASCII_WORDS), ({ 0: word, index: at }): Run => {
    const folded = word.toLowerCase();
    const parts = folded === word ? [] : innerWords(word, at);
    const tokens = [{ text: cut(folded), at, end: at + word.length }];
    return { tokens, parts: parts.length === 0 ? [] : [parts] };
  });
}

/** A text of any script as it is compared: without case, accents and other ways to write the same letter. */
export function fold(text: string): string {
  // Before, so that nothing stands between a letter and its accent; after, because some invisible letters have other forms.
  const visible = text.replace(INVISIBLE, "").normalize("NFKC").replace(INVISIBLE, "");
  // Upper case first: it writes ß as SS. A sigma at the end of a word is a sigma.
  const folded = visible.toUpperCase().toLowerCase().replaceAll("ς", "σ");
  return folded.normalize("NFD").replace(ACCENTS, "$1").normalize("NFKC");
}

function lettersOf(piece: string): readonly Letter[] {
  const known = remembered.get(piece);
  if (known !== undefined) return known;
  const letters = [...fold(piece)].map(
    (text): Letter => ({ text, kind: !WORD.test(text) ? "between" : SPACELESS.test(text) ? "alone" : "word" }),
  );
  if (remembered.size >= SEARCH_LIMITS.rememberedLetters) remembered.clear();
  remembered.set(piece, letters);
  return letters;
}

/** Puts letters together to words, and words to runs. */
class RunReader {
  readonly #text: string;
  readonly #runs: Run[] = [];
  #tokens: Token[] = [];
  #parts: Token[][] = [];
  #word = "";
  #at = 0;
  #end = 0;

  constructor(text: string) {
    this.#text = text;
  }

  letter({ text, kind }: Letter, at: number, length: number): void {
    if (kind === "word") {
      this.word(text, at, length);
      return;
    }
    this.#endWord();
    if (kind === "alone") this.#tokens.push({ text, at, end: at + length });
    else this.#endRun();
  }

  word(text: string, at: number, length: number): void {
    if (this.#word === "") this.#at = at;
    this.#word += text;
    this.#end = at + length;
  }

  finish(): Run[] {
    this.#endWord();
    this.#endRun();
    return this.#runs;
  }

  #endWord(): void {
    if (this.#word === "") return;
    const at = this.#at;
    const parts = innerWords(this.#text.slice(at, this.#end), at);
    if (parts.length > 0) this.#parts.push(parts);
    this.#tokens.push({ text: cut(this.#word), at, end: this.#end });
    this.#word = "";
  }

  #endRun(): void {
    if (this.#tokens.length === 0) return;
    this.#runs.push({ tokens: this.#tokens, parts: this.#parts });
    this.#tokens = [];
    this.#parts = [];
  }
}

/** The words that capital letters tell apart; none where there is only one. */
function innerWords(word: string, at: number): Token[] {
  if (word.length > SEARCH_LIMITS.tokenChars || !CAPITAL.test(word) || !ASCII.test(word)) return [];
  const words = [...word.matchAll(INNER_WORDS)];
  if (words.length < 2 || words.length > SEARCH_LIMITS.identifierWords) return [];
  return words.map(({ 0: inner, index }) => ({
    text: inner.toLowerCase(),
    at: at + index,
    end: at + index + inner.length,
  }));
}

/** Never in the middle of a code point. */
function cut(word: string): string {
  if (word.length <= SEARCH_LIMITS.tokenChars) return word;
  const isInside = (word.codePointAt(SEARCH_LIMITS.tokenChars - 1) ?? 0) > 0xffff;
  return word.slice(0, isInside ? SEARCH_LIMITS.tokenChars - 1 : SEARCH_LIMITS.tokenChars);
}
