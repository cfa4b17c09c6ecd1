import { expect, test } from "vitest";
import { Assembler } from "../../src/link/assembler.js";
import { Outbound } from "../../src/link/outbound.js";

const TEXTS = ["", "a", "", "", "\u{1f600} ü", "x".repeat(1_000), ""];

test.each([1, 2, 3, 5, 64, 10_000])("messages arrive whole, cut into frames of %i bytes", (frameBytes) => {
  const outbound = new Outbound(frameBytes);
  for (const text of TEXTS) outbound.push(text);
  const assembler = new Assembler(1_000);
  const received: string[] = [];
  for (let frame = outbound.next(); frame !== undefined; frame = outbound.next()) {
    for (const piece of frame.pieces) expect(assembler.feed(piece, (text) => received.push(text))).toBe(true);
  }
  expect(received).toEqual(TEXTS);
});

test("a message over the limit is refused by its length", () => {
  const outbound = new Outbound(64);
  outbound.push("x".repeat(1_001));
  const [first] = outbound.next()?.pieces ?? [];
  expect(new Assembler(1_000).feed(first as Uint8Array, () => {})).toBe(false);
});

test("what was fed is copied: pieces of one byte do not hold their NATS messages", () => {
  const assembler = new Assembler(1_000);
  assembler.feed(new Uint8Array([0, 0, 0, 3]), () => {});
  const received: string[] = [];
  const piece = new Uint8Array(1);
  for (const byte of Buffer.from("abc")) {
    piece[0] = byte;
    assembler.feed(piece, (text) => received.push(text));
  }
  expect(received).toEqual(["abc"]);
});
