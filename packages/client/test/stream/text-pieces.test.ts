import { describe, expect, it } from "vitest";
import { TextPieces } from "../../src/stream/text-pieces.js";

describe("TextPieces", () => {
  it("gives back every piece in order, however many blocks they fill", () => {
    const text = new TextPieces();
    const pieces = Array.from({ length: 2_000 }, (_, index) => `${index},`);
    for (const piece of pieces) text.add(piece);
    expect(text.join()).toBe(pieces.join(""));
  });

  it("can be asked in the middle, and goes on", () => {
    const text = new TextPieces();
    expect(text.join()).toBe("");
    text.add("one ");
    expect(text.join()).toBe("one ");
    text.add("two");
    expect(text.join()).toBe("one two");
    expect(text.join()).toBe("one two");
  });
});
