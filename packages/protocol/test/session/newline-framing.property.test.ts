import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineSplitter, type ProtocolError } from "../../src/index.js";

const MAX = 24;
const encoder = new TextEncoder();

function split(chunks: Iterable<Uint8Array>, maxLineBytes = MAX) {
  const lines: string[] = [];
  const errors: ProtocolError[] = [];
  const splitter = new LineSplitter({
    maxLineBytes,
    onLine: (line) => lines.push(line),
    onError: (error) => errors.push(error),
  });
  for (const chunk of chunks) {
    splitter.push(chunk);
    // The splitter must not have kept the caller's bytes.
    chunk.fill(0x41);
  }
  splitter.end();
  return { lines, codes: errors.map(({ code }) => code), errors };
}

/** The bytes cut at the given places, each piece a copy of its own. */
function cut(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.slice(at[index], end));
}

/** Lines with characters of one to four bytes; some longer than the limit, some empty. */
const line = fc.string({ unit: fc.constantFrom("a", "é", "€", "😀", '"', "\u0000", "\ufeff"), maxLength: 12 });
const places = fc.array(fc.nat(), { maxLength: 30 });

describe("any chunking gives the same lines", () => {
  test("also in the middle of a character, and with lines that are too long or empty", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), places, fc.boolean(), (all, cuts, endsWithNewline) => {
        const text = all.join("\n") + (endsWithNewline && all.length > 0 ? "\n" : "");
        const fits = (one: string) => encoder.encode(one).length <= MAX;
        const { lines, codes } = split(cut(encoder.encode(text), cuts));
        expect(lines).toEqual(all.filter((one) => one !== "" && fits(one)));
        expect(codes).toEqual(all.filter((one) => !fits(one)).map(() => "MESSAGE_TOO_LARGE"));
      }),
      { numRuns: 1000 },
    );
  });

  test("also of arbitrary bytes, where a line that is no UTF-8 is reported and skipped", () => {
    const byte = fc.oneof(
      fc.constant(0x0a),
      fc.constantFrom(0xff, 0xc3, 0xa9, 0x80),
      fc.integer({ min: 0x20, max: 0x7e }),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 120 }), places, (raw, cuts) => {
        const bytes = Uint8Array.from(raw);
        const whole = split([bytes.slice()]);
        const pieces = split(cut(bytes, cuts));
        expect(pieces.lines).toEqual(whole.lines);
        expect(pieces.codes).toEqual(whole.codes);
      }),
      { numRuns: 1000 },
    );
  });
});

test("a line of exactly the limit passes, one byte more does not, and the line after it is read", () => {
  const bytes = encoder.encode(`${"x".repeat(MAX)}\n${"y".repeat(MAX + 1)}\nnext\n`);
  const { lines, codes, errors } = split([bytes]);
  expect(lines).toEqual(["x".repeat(MAX), "next"]);
  expect(codes).toEqual(["MESSAGE_TOO_LARGE"]);
  expect(errors[0]?.message).not.toContain("yyy");
});

test("a line that never ends is reported once, however long it goes on", () => {
  const endless = Array.from({ length: 1000 }, () => encoder.encode("x".repeat(MAX)));
  expect(split(endless)).toMatchObject({ lines: [], codes: ["MESSAGE_TOO_LARGE"] });
});

test("a line that is no UTF-8 is reported and skipped, those around it are read", () => {
  const bytes = Uint8Array.from([0x61, 0x0a, 0xc3, 0x28, 0x0a, 0xff, 0x0a, 0x62, 0x0a, 0xe2, 0x82]);
  const { lines, codes } = split([bytes]);
  expect(lines).toEqual(["a", "b"]);
  expect(codes).toEqual(["PROTOCOL_VIOLATION", "PROTOCOL_VIOLATION", "PROTOCOL_VIOLATION"]);
});

test("a carriage return before the newline does not belong to the line", () => {
  expect(split([encoder.encode("a\r\n\r\nb\r\n")]).lines).toEqual(["a", "b"]);
});

test("a mebibyte that arrives byte by byte takes linear time", () => {
  const bytes = encoder.encode(`${"x".repeat(1024 * 1024)}\n`);
  const before = process.cpuUsage();
  let got = 0;
  const splitter = new LineSplitter({
    maxLineBytes: bytes.length,
    onLine: (text) => (got = text.length),
    onError: () => {},
  });
  for (let at = 0; at < bytes.length; at++) splitter.push(bytes.subarray(at, at + 1));
  expect(got).toBe(1024 * 1024);
  // Quadratic copying would move 0.5 TB. The processor's time, in microseconds: other programs do not lengthen it.
  const { user, system } = process.cpuUsage(before);
  expect(user + system).toBeLessThan(2_000_000);
});
