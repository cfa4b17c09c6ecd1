import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { envelopeSchema, envelopeSchemaOf, PAYLOAD_SCHEMAS } from "../../src/relay/schema.js";
import {
  createEnvelope,
  isEnvelope,
  isEnvelopeOf,
  isKnownEnvelope,
  isMessageType,
  MESSAGE_TYPES,
  PAYLOAD_GUARDS,
} from "../../src/relay.js";
import { DELIVERY, PAYLOADS, SEND_META } from "./samples.js";

type Path = readonly (string | number)[];

/** Every place in a JSON value, the root included. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...path, key]))];
}

const REMOVE = Symbol("remove");

/** The value with something else at `path`, or nothing there. */
function replaced(value: unknown, path: Path, by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? ([...value] as never)
    : { ...(value as Record<string, unknown>) };
  if (rest.length === 0 && by === REMOVE && Array.isArray(copy)) copy.splice(Number(key), 1);
  else if (rest.length === 0 && by === REMOVE) delete copy[key];
  else copy[key] = replaced(copy[key], rest, by);
  return copy;
}

const replacement = fc.oneof(
  fc.constant(REMOVE),
  fc.constantFrom<unknown>(null, true, "text", "", 0, -1, 1.5, 2 ** 53, Number.POSITIVE_INFINITY, [], {}, [1], ["a"]),
  fc.jsonValue(),
);

function agreesOn(sample: unknown, guard: (value: unknown) => boolean, schema: (value: unknown) => boolean): void {
  fc.assert(
    fc.property(fc.constantFrom(...pathsOf(sample)), replacement, (path, by) => {
      const value = path.length === 0 && by === REMOVE ? null : replaced(sample, path, by);
      expect(guard(value)).toBe(schema(value));
    }),
    { numRuns: 150 },
  );
}

describe("guards and schemas of the relay wire", () => {
  it.each(MESSAGE_TYPES)("accept the same payloads of %s, and the full sample", (type) => {
    const accepts = (value: unknown) => PAYLOAD_SCHEMAS[type].safeParse(value).success;
    expect(PAYLOAD_GUARDS[type](PAYLOADS[type])).toBe(true);
    expect(accepts(PAYLOADS[type])).toBe(true);
    agreesOn(PAYLOADS[type], PAYLOAD_GUARDS[type], accepts);
  });

  it.each(["SEND", "DELIVER", "ACK", "PING"] as const)("accept the same envelopes of %s", (type) => {
    const schema = envelopeSchemaOf(type);
    const fields = { from: "Alice", to: "Bob", topic: "t", payload_meta: SEND_META, delivery: DELIVERY };
    const sample = createEnvelope(type, PAYLOADS[type], fields);
    expect(isEnvelopeOf(sample, type)).toBe(true);
    agreesOn(
      sample,
      (value) => isEnvelope(value) && isEnvelopeOf(value, type),
      (value) => schema.safeParse(value).success,
    );
  });

  it("accept the same values as envelopes of any type", () => {
    const sample = { v: 9, type: "NEW", id: "x", ts: 1, from: "A", to: "B", topic: "t", payload: { a: 1 }, extra: [] };
    agreesOn(
      { ...sample, payload_meta: {}, delivery: {} },
      isEnvelope,
      (value) => envelopeSchema.safeParse(value).success,
    );
  });

  it("know a DELIVER only with its sender and its place, so that it can be answered and acknowledged", () => {
    const deliver = createEnvelope("DELIVER", PAYLOADS.DELIVER, { from: "A", to: "B", delivery: DELIVERY });
    expect(isKnownEnvelope(deliver)).toBe(true);
    expect(isKnownEnvelope({ ...deliver, delivery: undefined })).toBe(false);
    expect(isKnownEnvelope({ ...deliver, from: undefined })).toBe(false);
  });

  it("take no name of Object.prototype for a message type", () => {
    for (const type of ["constructor", "__proto__", "toString", "hasOwnProperty", "send", ""]) {
      expect(isMessageType(type)).toBe(false);
      expect(isKnownEnvelope({ v: 1, type, id: "x", ts: 1, payload: {} })).toBe(false);
    }
  });
});
