import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as ws from "ws";
import { FRAMED_UNITS, textFrame } from "../../src/frames/text-frame.js";

/** What the library reads a socket with; its types leave it out. */
const { Receiver } = ws as unknown as {
  Receiver: new (
    options: object,
  ) => {
    write(bytes: Uint8Array): boolean;
    on(event: "message", listener: (data: Buffer, isBinary: boolean) => void): void;
  };
};

/** What the library reads of a frame. */
function read(frame: Uint8Array, isServer: boolean): unknown[] {
  const read: unknown[] = [];
  const receiver = new Receiver({ isServer, maxPayload: 4 * FRAMED_UNITS });
  receiver.on("message", (data, isBinary) => read.push(String(data), isBinary));
  receiver.write(frame);
  return read;
}

test("the library reads the frame of a text as that text, on either side", () => {
  const texts = fc.oneof(fc.string({ unit: "grapheme", maxLength: 200 }), fc.string({ maxLength: 300 }));
  void fc.assert(
    fc.property(texts, fc.boolean(), (text, isMasked) => {
      expect(read(textFrame(text, isMasked), isMasked)).toEqual([text, false]);
    }),
  );
});

test.each([125, 126, FRAMED_UNITS])("a text of %s units of up to three bytes fits", (units) => {
  for (const unit of ["x", "é", "漢"]) {
    const text = unit.repeat(units);
    for (const isMasked of [true, false]) expect(read(textFrame(text, isMasked), isMasked)).toEqual([text, false]);
  }
});

test("no two frames in a row have the same mask", () => {
  const masks = Array.from({ length: 5_000 }, () => textFrame("", true).readUInt32BE(2));
  expect(new Set(masks).size).toBeGreaterThan(4_900);
});
