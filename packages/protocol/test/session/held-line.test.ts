import fc from "fast-check";
import { expect, test } from "vitest";
import { HeldLine } from "../../src/session/held-line.js";

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 300_000 })), {
  minLength: 1,
  maxLength: 8,
});
const fill = (bytes: number, at: number) => Uint8Array.from({ length: bytes }, (_, index) => (at + index) % 251);

test("what was pushed in any pieces is one line, and its beginning is the beginning of it", () => {
  const held = new HeldLine();
  fc.assert(
    fc.property(fc.array(sizes, { minLength: 1, maxLength: 4 }), fc.nat({ max: 9_000 }), (lines, headBytes) => {
      for (const line of lines) {
        const parts = line.map((bytes, at) => fill(bytes, at));
        for (const part of parts) held.push(part);
        const whole = Buffer.concat(parts);
        expect(held.bytes).toBe(whole.length);
        expect(whole.subarray(0, headBytes).equals(held.head(headBytes))).toBe(true);
        expect(Buffer.concat(held.parts()).equals(whole)).toBe(true);
        expect(whole.equals(held.take())).toBe(true);
        expect(held.bytes).toBe(0);
      }
    }),
    { numRuns: 50 },
  );
});

test.each([
  { lineBytes: 64 * 1024, pieceBytes: 8 * 1024, most: 128 * 1024 },
  { lineBytes: 64 * 1024, pieceBytes: 16, most: 128 * 1024 },
  { lineBytes: 4 * 2 ** 20, pieceBytes: 64 * 1024, most: 4.25 * 2 ** 20 },
])("$lineBytes bytes in pieces of $pieceBytes take buffers of at most $most", ({ lineBytes, pieceBytes, most }) => {
  const held = new HeldLine();
  const piece = new Uint8Array(pieceBytes);
  for (let bytes = 0; bytes < lineBytes; bytes += pieceBytes) held.push(piece);
  const buffers = new Set(held.parts().map(({ buffer }) => buffer));
  expect([...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThanOrEqual(most);
  expect(held.take().length).toBe(lineBytes);
});

test("one line after another is held in the same buffers", () => {
  const [held, other] = [new HeldLine(), new HeldLine()];
  const buffersOf = (line: HeldLine) => {
    for (let piece = 0; piece < 3; piece += 1) line.push(new Uint8Array(60_000));
    const buffers = line.parts().map(({ buffer }) => buffer);
    line.take();
    return new Set(buffers);
  };
  const first = buffersOf(held);
  for (const line of [other, held, other]) {
    for (const buffer of buffersOf(line)) expect(first.has(buffer)).toBe(true);
  }
});

test("pieces that were taken stay as they are, whatever is held later", () => {
  const held = new HeldLine();
  held.push(fill(5_000, 1));
  const taken = held.takeParts();
  expect(held.bytes).toBe(0);
  for (let line = 0; line < 3; line += 1) {
    held.push(fill(5_000, 100 + line));
    held.take();
  }
  expect(Buffer.concat(taken).equals(fill(5_000, 1))).toBe(true);
});
