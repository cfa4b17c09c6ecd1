import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineSplitter, missingMark, TextCutter } from "../../src/index.js";

const TEXT_BYTES = 24;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The message after the cutter, in pieces of the given sizes. */
function cut(text: string, sizes: readonly number[], maxBytes = 1e6) {
  const cutter = new TextCutter({ maxBytes, textBytes: TEXT_BYTES });
  const bytes = encoder.encode(text);
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    cutter.push(bytes.slice(at, at + size));
    at += size;
  }
  const done = cutter.end();
  return done && { text: decoder.decode(done.bytes), missingBytes: done.missingBytes };
}

/** Whether `after` is `before` with the ends of long texts replaced by the mark. */
function isShortened(before: unknown, after: unknown): boolean {
  if (typeof before === "string" && typeof after === "string") {
    if (before === after) return true;
    const at = after.lastIndexOf("\n[");
    return before.startsWith(after.slice(0, at)) && /^\n\[\d+ bytes are missing here/.test(after.slice(at));
  }
  if (typeof before !== "object" || before === null || typeof after !== "object" || after === null)
    return Object.is(before, after);
  const [one, other] = [Object.entries(before), Object.entries(after)];
  return (
    one.length === other.length &&
    one.every(([key, value], i) => key === other[i]?.[0] && isShortened(value, other[i]?.[1]))
  );
}

const text = fc.string({
  unit: fc.constantFrom("a", "é", "€", "😀", '"', "\\", "\n", "\u0001", "{", ":", ","),
  maxLength: 60,
});
const message = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.constantFrom(null, true),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("text", "content", "data", "aId", 'b"\\'), tie("value"), { maxKeys: 4 }),
  ),
})).value;
const sizes = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 200 });
/** JSON as other programs write it: every character that is not ASCII as an escape, and spaces where they may be. */
const style = fc.constantFrom(
  (value: unknown) => JSON.stringify(value),
  (value: unknown) => JSON.stringify(value, null, 1).replaceAll("\n", " "),
  (value: unknown) =>
    JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
);

describe("a message whose texts are cut", () => {
  test("stays JSON of the same shape, each long text being a whole beginning of it, however it is chunked", () => {
    fc.assert(
      fc.property(message, sizes, style, (value, chunks, write) => {
        const source = write(value);
        const result = cut(source, chunks);
        expect(result).toEqual(cut(source, []));
        const after: unknown = JSON.parse(result?.text ?? "");
        expect(isShortened(value, after)).toBe(true);
        // No half of a character is left.
        expect(result?.text).not.toMatch(/\p{Surrogate}/u);
        if (result?.missingBytes === 0) expect(result.text).toBe(source);
      }),
      { numRuns: 1000 },
    );
  });

  test("keeps files and ids whole, and says how many bytes of a text are missing", () => {
    const long = "x".repeat(100);
    const result = cut(JSON.stringify({ messageId: long, content: [{ data: long, text: long }] }), []);
    expect(JSON.parse(result?.text ?? "")).toEqual({
      messageId: long,
      content: [{ data: long, text: `${"x".repeat(TEXT_BYTES)}${missingMark(100 - TEXT_BYTES)}` }],
    });
    expect(result?.missingBytes).toBe(100 - TEXT_BYTES);
  });

  test("is given up when it is too large all the same", () => {
    expect(cut(JSON.stringify({ data: "x".repeat(100) }), [], 99)).toBeUndefined();
    expect(cut(JSON.stringify(Array(100).fill("x")), [], 99)).toBeUndefined();
  });
});

describe("a line that is too long", () => {
  function split(chunks: readonly Uint8Array[]) {
    const seen: unknown[] = [];
    const splitter = new LineSplitter({
      maxLineBytes: 400,
      cutTextBytes: TEXT_BYTES,
      onLine: (line, how) => seen.push(how === undefined ? line : [JSON.parse(line), how]),
      onError: ({ code, message: words }, head) => seen.push([code, words, head.slice(0, 20)]),
    });
    for (const chunk of chunks) splitter.push(chunk);
    splitter.end();
    return seen;
  }

  test("is delivered in its place with its texts cut, and the lines around it as they are", () => {
    const line = `{"id":"7","text":"${"x".repeat(1000)}"}`;
    const bytes = encoder.encode(`one\n${line}\ntwo\n`);
    const wanted = [
      "one",
      [
        { id: "7", text: `${"x".repeat(TEXT_BYTES)}${missingMark(1000 - TEXT_BYTES)}` },
        { lineBytes: line.length, missingBytes: 1000 - TEXT_BYTES },
      ],
      "two",
    ];
    expect(split([bytes.slice()])).toEqual(wanted);
    expect(split(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(wanted);
    expect(split([bytes.slice(0, 300), bytes.slice(300, 700), bytes.slice(700)])).toEqual(wanted);
  });

  test("that cannot be cut is reported with its size and its beginning", () => {
    const line = `{"id":"7","data":"${"x".repeat(1000)}"}`;
    expect(split([encoder.encode(`${line}\ntwo\n`)])).toEqual([
      [
        "MESSAGE_TOO_LARGE",
        `A line of ${line.length} bytes was skipped: at most 400 are taken.`,
        '{"id":"7","data":"xx',
      ],
      "two",
    ]);
  });
});
