import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonPlaces } from "../../src/config-file/json-places.js";

const shallow = fc.json({ maxDepth: 5 });

test("what JSON.parse reads has places, unless a key stands twice", () => {
  fc.assert(
    fc.property(shallow, fc.boolean(), (json, isPretty) => {
      const text = isPretty ? JSON.stringify(JSON.parse(json), null, 2) : json;
      const { fault } = new JsonPlaces(text);
      expect(fault === undefined || fault.message === "this key stands twice").toBe(true);
    }),
  );
});

test("what JSON.parse does not read has a fault", () => {
  const broken = fc
    .tuple(shallow, fc.nat(), fc.constantFrom("", ",", "}", '"', "1", "x", "//"))
    .map(
      ([json, at, piece]) => json.slice(0, at % (json.length + 1)) + piece + json.slice((at % (json.length + 1)) + 1),
    );
  fc.assert(
    fc.property(broken, (text) => {
      fc.pre(!isJson(text));
      expect(new JsonPlaces(text).fault).toBeDefined();
    }),
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
