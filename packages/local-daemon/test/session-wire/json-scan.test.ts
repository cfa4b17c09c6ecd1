import * as fc from "fast-check";
import { expect, test } from "vitest";
import { JsonScan } from "../../src/session-wire/json-scan.js";

function scanned(text: string, chunk: number): JsonScan {
  const scan = new JsonScan(["params"]);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunk) scan.push(bytes.subarray(at, at + chunk));
  return scan;
}

test("the value of a key is found in any JSON object, however its bytes are cut", () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  void fc.assert(
    fc.property(value, value, fc.integer({ min: 1, max: 40 }), fc.boolean(), (params, other, chunk, isPretty) => {
      const object = { before: { params: other, text: 'a "params": \\' }, params, after: [other, "params"] };
      const text = JSON.stringify(object, undefined, isPretty ? 2 : undefined);
      const scan = scanned(text, chunk);
      expect(scan.isValid).toBe(true);
      const { from = 0, to } = scan.range ?? {};
      const found = Buffer.from(text).subarray(from, to).toString();
      expect(JSON.parse(found)).toEqual(JSON.parse(JSON.stringify(params)));
    }),
    { numRuns: 300 },
  );
});

test("a text is valid exactly where a parser takes it", () => {
  const piece = fc.constantFrom("a", "\\", "\\n", "\\u00e9", "\\u0", "\\x", "\u0001", "é", "\t", "\\\\");
  void fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.integer({ min: 1, max: 5 }), (pieces, chunk) => {
      const text = `{"params":"${pieces.join("")}"}`;
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      const scan = scanned(text, chunk);
      // A text without its end is found by whoever parses the outline.
      const isOpen = scan.range?.to === undefined;
      expect(scan.isValid && !isOpen).toBe(isJson);
    }),
    { numRuns: 500 },
  );
});

test("of a key that comes twice the last value counts", () => {
  expect(scanned('{"params":{"a":1},"params":{"b":2} }', 3).range).toEqual({ from: 27, to: 35 });
});
