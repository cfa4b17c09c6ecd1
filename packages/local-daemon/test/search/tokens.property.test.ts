import fc from "fast-check";
import { expect, test } from "vitest";
import { findInText } from "../../src/search/find-in-text.js";
import { termsOf } from "../../src/search/search-terms.js";
import { fold, runsOf } from "../../src/search/tokens.js";

const RANGES: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0xa0, 0x24f],
  [0x300, 0x36f],
  [0x370, 0x52f],
  [0x590, 0x6ff],
  [0x900, 0x97f],
  [0xe00, 0xeff],
  [0x1000, 0x11ff],
  [0x1780, 0x17ff],
  [0x3040, 0x30ff],
  [0x4e00, 0x4eff],
  [0xac00, 0xad00],
  [0xff61, 0xff9f],
  [0x1f600, 0x1f60f],
];
const character = fc
  .oneof(...RANGES.map(([min, max]) => fc.integer({ min, max })))
  .map((code) => String.fromCodePoint(code));
const text = fc.array(character, { maxLength: 30 }).map((all) => all.join(""));
/** Scripts without spaces, by what a keyboard of theirs types. */
const spaceless = fc.oneof(
  fc.constantFrom(..."支払再試行会议服务端デプロイサーバーのをがぎ결제재시도로직"),
  fc.integer({ min: 0xe01, max: 0xe30 }).map((code) => String.fromCodePoint(code)),
);

const tokensOf = (of: string) => runsOf(of).map(({ tokens }) => tokens.map((token) => token.text));

test("canonical forms and case make no difference", () => {
  fc.assert(
    fc.property(text, (of) => {
      const tokens = tokensOf(of.normalize("NFC"));
      expect(tokensOf(of.normalize("NFD"))).toEqual(tokens);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zäöüßéèçа-яёάωςα ]{0,20}$/), (of) => {
      expect(tokensOf(of.toUpperCase())).toEqual(tokensOf(of));
    }),
  );
});

test("a text of ASCII alone has the same tokens as among others", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_ .-]{0,30}$/);
  fc.assert(
    fc.property(word, (of) => {
      expect(runsOf(`${of} é`).slice(0, -1)).toEqual(runsOf(of));
    }),
    { numRuns: 500 },
  );
});

test("invisible characters make no difference, wherever they are in a word", () => {
  const letters = fc.array(fc.constantFrom(..."aZé9нй", "a\u0300", "ﾃﾞ", "支", "ง"), { minLength: 2, maxLength: 8 });
  const invisible = fc.constantFrom("\u00ad", "\u200b", "\u200d", "\ufeff", "\ufe0f");
  fc.assert(
    fc.property(letters, invisible, fc.nat(), (of, hidden, at) => {
      const text = of.join("").normalize("NFD");
      const place = 1 + (at % text.length);
      expect(tokensOf(text.slice(0, place) + hidden + text.slice(place))).toEqual(tokensOf(text));
    }),
    { numRuns: 1_000 },
  );
});

test("a folded text is folded already", () => {
  fc.assert(
    fc.property(text, (of) => {
      expect(fold(fold(of))).toBe(fold(of));
    }),
    { numRuns: 2_000 },
  );
});

test("tokens are in the order of their places, and a text finds itself", () => {
  fc.assert(
    fc.property(text, (of) => {
      const tokens = runsOf(of).flatMap((run) => run.tokens);
      for (const [index, { text: token, at, end }] of tokens.entries()) {
        expect(token.length).toBeGreaterThan(0);
        expect(token).not.toMatch(/[\s"*()]/);
        expect(end).toBeGreaterThan(at);
        expect(at).toBeGreaterThanOrEqual(tokens[index - 1]?.at ?? 0);
      }
      const terms = termsOf(of);
      if (terms.length > 0) expect(findInText(of, terms, 10)?.score).toBeGreaterThan(0);
    }),
    { numRuns: 2_000 },
  );
});

test("in scripts without spaces exactly the substrings are found, of any length", () => {
  const run = fc.array(spaceless, { minLength: 1, maxLength: 12 }).map((all) => all.join(""));
  const query = fc.array(spaceless, { minLength: 1, maxLength: 3 }).map((all) => all.join(""));
  fc.assert(
    fc.property(run, query, fc.nat(), fc.nat(), (of, other, from, length) => {
      const letters = [...of];
      const start = from % letters.length;
      const inside = letters.slice(start, start + 1 + (length % letters.length)).join("");
      expect(findInText(of, termsOf(inside), 10)).toBeDefined();
      expect(findInText(of, termsOf(other), 10) !== undefined).toBe(fold(of).includes(fold(other)));
    }),
    { numRuns: 2_000 },
  );
});
