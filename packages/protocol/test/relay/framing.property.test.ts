import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/errors.js";
import { type Envelope, encodeFrame, FrameWriter } from "../../src/relay.js";
import { cutAt, joined, parseChunks } from "./parse-chunks.js";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 200 }),
);
const safeKey = fc.string({ maxLength: 8 }).filter((key) => key !== "__proto__" && key !== "constructor");
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    text,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(safeKey, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

const envelope: fc.Arbitrary<Envelope> = fc
  .record(
    {
      v: fc.integer(),
      type: fc.oneof(fc.constantFrom("SEND", "DELIVER", "ACK", "BYE"), text),
      id: text,
      ts: fc.integer(),
      from: text,
      to: text,
      topic: text,
      payload: fc.dictionary(safeKey, json, { maxKeys: 5, noNullPrototype: true }),
      payload_meta: fc.dictionary(safeKey, json, { maxKeys: 2, noNullPrototype: true }),
      delivery: fc.dictionary(safeKey, json, { maxKeys: 2, noNullPrototype: true }),
    },
    { requiredKeys: ["v", "type", "id", "ts", "payload"], noNullPrototype: true },
  )
  // Through JSON once: it knows no -0, and lone surrogates and the like stay what they are.
  .map((value) => JSON.parse(JSON.stringify(value)) as Envelope);

const envelopes = fc.array(envelope, { maxLength: 12 });
const places = fc.array(fc.nat(20_000), { maxLength: 30 });

describe("framing", () => {
  it("carries any envelopes through any chunking, each whole, once and in order", () => {
    fc.assert(
      fc.property(envelopes, places, (sent, cuts) => {
        const chunks = cutAt(joined(...sent.map((one) => encodeFrame(one))), cuts);
        expect(parseChunks(chunks)).toEqual({ envelopes: sent, errors: [], pendingBytes: 0 });
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same bytes whether frames are written one by one or many into one slab", () => {
    fc.assert(
      fc.property(envelopes, fc.integer({ min: 64, max: 4096 }), fc.boolean(), (sent, slabBytes, isReleased) => {
        const writer = new FrameWriter({ slabBytes });
        for (const one of sent) writer.write(one);
        const chunk = writer.take();
        expect([...chunk]).toEqual([...joined(...sent.map((one) => encodeFrame(one)))]);
        if (isReleased) writer.release(chunk);
      }),
      { numRuns: 200 },
    );
  });

  it("turns mutated streams into envelopes and at most one typed error, within bounds, and never touches a prototype", () => {
    const mutation = fc.record({ at: fc.nat(20_000), byte: fc.nat(255), isInserted: fc.boolean() });
    fc.assert(
      fc.property(envelopes, fc.array(mutation, { minLength: 1, maxLength: 6 }), places, (sent, mutations, cuts) => {
        const bytes = [...joined(...sent.map((one) => encodeFrame(one)))];
        for (const { at, byte, isInserted } of mutations)
          bytes.splice(at % (bytes.length + 1), isInserted ? 0 : 1, byte);
        const maxFrameBytes = 2000;
        const result = parseChunks(cutAt(Uint8Array.from(bytes), cuts), maxFrameBytes);
        expect(result.errors.length).toBeLessThanOrEqual(1);
        expect(result.errors.every((error) => ProtocolError.is(error))).toBe(true);
        expect(result.pendingBytes).toBeLessThan(maxFrameBytes + 4);
        expect(parseChunks([Uint8Array.from(bytes)], maxFrameBytes)).toEqual(withoutClock(result));
        for (const one of result.envelopes) expect(() => encodeFrame(one)).not.toThrow();
        expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it("survives any bytes at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), places, (bytes, cuts) => {
        const { errors } = parseChunks(cutAt(bytes, cuts));
        expect(errors.every((error) => ProtocolError.is(error))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

/** The same, but any time will do: a mutation may have cost an envelope its `ts`, which is then the time of arrival. */
function withoutClock(result: ReturnType<typeof parseChunks>) {
  return { ...result, envelopes: result.envelopes.map((one) => ({ ...one, ts: expect.any(Number) })) };
}
