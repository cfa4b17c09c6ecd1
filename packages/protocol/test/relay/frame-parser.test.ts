import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/errors.js";
import { LIMITS } from "../../src/limits/index.js";
import { createEnvelope, type Envelope, encodeFrame, FrameParser, isEnvelopeOf } from "../../src/relay.js";
import { joined, parseChunks, rawFrame } from "./parse-chunks.js";

const say = (body: string) => createEnvelope("SEND", { kind: "message", body }, { to: "Bob" });
const frameOf = (value: unknown) => rawFrame(JSON.stringify(value));
const bare = { v: 1, type: "BYE", id: "a", ts: 1, payload: {} };

function fail(error: ProtocolError): never {
  return expect.fail(error.message);
}

describe("FrameParser", () => {
  it("reads the frame of the specification's example", () => {
    const hex =
      "000000317b2276223a312c2274797065223a22425945222c226964223a2261222c227473223a312c227061796c6f6164223a7b7d7d";
    expect(parseChunks([Buffer.from(hex, "hex")]).envelopes).toEqual([bare]);
  });

  it("delivers the good frames before a bad one in the same chunk, then one error, then nothing", () => {
    const [one, two, late] = [say("one"), say("two"), say("late")];
    for (const bad of [
      rawFrame("{bad}"),
      rawFrame(""),
      rawFrame("{}"),
      rawFrame("", 2 ** 31),
      rawFrame("x", 2 ** 32 - 1),
    ]) {
      const { envelopes, errors } = parseChunks([
        joined(encodeFrame(one), encodeFrame(two), bad, encodeFrame(late)),
        encodeFrame(late),
      ]);
      expect(envelopes).toEqual([one, two]);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toBeInstanceOf(ProtocolError);
    }
  });

  it("refuses a length over the limit from the header alone, and takes one that equals it", () => {
    const body = say("x".repeat(1000));
    const frame = encodeFrame(body);
    const limit = frame.length - 4;
    expect(parseChunks([frame], limit).envelopes).toEqual([body]);
    expect(parseChunks([frame.subarray(0, 4)], limit - 1).errors.map((error) => error.code)).toEqual([
      "MESSAGE_TOO_LARGE",
    ]);
    const bytewise = [...frame.subarray(0, 4)].map((byte) => Uint8Array.of(byte));
    expect(parseChunks(bytewise, limit - 1).errors.map((error) => error.code)).toEqual(["MESSAGE_TOO_LARGE"]);
  });

  it("holds no memory for a length that is only announced", () => {
    const buffers: number[] = [];
    const RealArray = globalThis.Uint8Array;
    globalThis.Uint8Array = new Proxy(RealArray, {
      construct(target, args) {
        if (typeof args[0] === "number") buffers.push(args[0]);
        return Reflect.construct(target, args);
      },
    });
    try {
      parseChunks([rawFrame("{", LIMITS.relayFrameBytes)]);
    } finally {
      globalThis.Uint8Array = RealArray;
    }
    expect(Math.max(0, ...buffers)).toBeLessThanOrEqual(512);
  });

  it("takes a frame of the largest size byte by byte, in linear time", () => {
    const overhead = encodeFrame(say("")).length - 4;
    const largest = say("x".repeat(LIMITS.relayFrameBytes - overhead));
    const frame = encodeFrame(largest);
    expect(frame.length).toBe(LIMITS.relayFrameBytes + 4);
    function* bytes() {
      for (let at = 0; at < frame.length; at += 1) yield frame.subarray(at, at + 1);
    }
    expect(parseChunks(bytes()).envelopes).toEqual([largest]);
  });

  it("reads null as absent, in the envelope, in known payloads and side bands, and never in the data of users", () => {
    const absent = { v: null, ts: null, from: null, to: null, topic: null, payload: null, delivery: null };
    const [first] = parseChunks([frameOf({ ...bare, ...absent, payload_meta: null })]).envelopes;
    expect(first).toEqual({ ...bare, v: 1, ts: expect.any(Number), payload: {} });
    const payload = { kind: "message", body: null, data: { kept: null, thread: null }, thread: null, unknown: null };
    const send = { ...bare, type: "SEND", payload, payload_meta: { sync: null, importance: 1, replyTo: null } };
    const [second] = parseChunks([frameOf(send)]).envelopes;
    expect(second?.payload).toEqual({ kind: "message", body: null, data: { kept: null, thread: null }, unknown: null });
    expect(second?.payload_meta).toEqual({ importance: 1 });
    expect(second !== undefined && isEnvelopeOf(second, "SEND")).toBe(true);
    const hello = { ...bare, type: "HELLO", payload: { agent: "A", session: { resume_token: null }, cli: null } };
    expect(parseChunks([frameOf(hello)]).envelopes[0]?.payload).toEqual({ agent: "A", session: {} });
    const post = { channel: "#dev", body: "x", attachments: [{ id: "1", filename: "a", mimeType: "b", url: null }] };
    const [third] = parseChunks([frameOf({ ...bare, type: "CHANNEL_MESSAGE", payload: post })]).envelopes;
    expect(third?.payload.attachments).toEqual([{ id: "1", filename: "a", mimeType: "b" }]);
  });

  it.each([
    ["null", null],
    ["an array", [bare]],
    ["a number", 7],
    ["no type", { ...bare, type: undefined }],
    ["a numeric id", { ...bare, id: 7 }],
    ["a text as time", { ...bare, ts: "now" }],
    ["a payload that is a list", { ...bare, payload: [] }],
    ["a numeric sender", { ...bare, from: 1 }],
    ["a list as side band", { ...bare, payload_meta: [] }],
  ])("refuses %s as an envelope", (_name, value) => {
    const { envelopes, errors } = parseChunks([frameOf(value)]);
    expect(envelopes).toEqual([]);
    expect(errors.map((error) => error.code)).toEqual(["PROTOCOL_VIOLATION"]);
  });

  it("names the id of a bad envelope where there is one, so that the refusal can say which it was", () => {
    expect(parseChunks([frameOf({ ...bare, payload: 1 })]).errors[0]?.data).toEqual({ id: "a" });
    expect(parseChunks([rawFrame("{bad}")]).errors[0]?.data).toEqual({ id: undefined });
  });

  it("repeats nothing of what a bad frame held", () => {
    const secret = "hunter2";
    for (const bad of [rawFrame(`{"proof":"${secret}`), frameOf({ type: secret }), frameOf([secret])]) {
      const [error] = parseChunks([bad]).errors;
      expect(`${error?.message} ${error?.cause} ${JSON.stringify(error?.data)}`).not.toContain(secret);
    }
  });

  it("accepts any version, and fills in what a careless peer left out", () => {
    for (const v of [9, "2.0", null, undefined]) {
      const [envelope] = parseChunks([frameOf({ ...bare, v })]).envelopes;
      expect(envelope).toMatchObject({ type: "BYE", v: v === 9 ? 9 : 1 });
    }
    const [envelope] = parseChunks([frameOf({ type: "STATUS", id: "q" })]).envelopes;
    expect(envelope?.payload).toEqual({});
    expect(Math.abs((envelope?.ts ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it("passes types and fields that it does not know", () => {
    const strange = { ...bare, type: "HOLOGRAM", payload: { a: [1] }, extra: { b: 2 } };
    expect(parseChunks([frameOf(strange)]).envelopes).toEqual([strange]);
  });

  it("refuses bytes that are not UTF-8, beside good frames, and takes a byte order mark for no JSON", () => {
    const bad = rawFrame(Uint8Array.of(0x7b, 0xff, 0x7d));
    const { envelopes, errors } = parseChunks([joined(frameOf(bare), bad, frameOf(bare))]);
    expect(envelopes).toHaveLength(1);
    expect(errors.map((error) => error.code)).toEqual(["PROTOCOL_VIOLATION"]);
    expect(parseChunks([rawFrame(`\ufeff${JSON.stringify(bare)}`)]).errors).toHaveLength(1);
  });

  it("refuses keys that replace prototypes, and nesting that would overflow whoever walks it", () => {
    const deep = `${"[".repeat(70)}${"]".repeat(70)}`;
    const payloads = [
      '{"__proto__":{"a":1}}',
      '{"data":[{"\\u005f_proto__":1}]}',
      '{"constructor":{"prototype":{}}}',
      `{"data":${deep}}`,
    ];
    for (const payload of payloads) {
      const { envelopes, errors } = parseChunks([
        rawFrame(`{"v":1,"type":"SEND","id":"a","ts":1,"payload":${payload}}`),
      ]);
      expect(envelopes).toEqual([]);
      expect(errors.map((error) => error.code)).toEqual(["PROTOCOL_VIOLATION"]);
    }
    const harmless = { ...bare, payload: { body: "say __proto__", data: { constructor: "Ford", prototype: 1 } } };
    expect(parseChunks([frameOf(harmless)]).envelopes).toEqual([harmless]);
  });

  it("delivers the rest of a chunk when a handler throws, and throws the first exception afterwards", () => {
    const seen: string[] = [];
    const parser = new FrameParser({
      onFrame({ payload }) {
        seen.push(String(payload.body));
        throw new RangeError(`handler of ${payload.body}`);
      },
      onError: () => seen.push("error"),
    });
    const chunk = joined(encodeFrame(say("one")), encodeFrame(say("two")), rawFrame("{bad}"));
    expect(() => parser.push(chunk)).toThrow(new RangeError("handler of one"));
    expect(seen).toEqual(["one", "two", "error"]);
    expect(() => parser.push(chunk)).not.toThrow();
  });

  it("delivers nothing after stop, not even the error of the same chunk", () => {
    const seen: unknown[] = [];
    const parser: FrameParser = new FrameParser({
      onFrame(envelope) {
        seen.push(envelope);
        parser.stop();
      },
      onError: (error) => seen.push(error),
    });
    parser.push(joined(encodeFrame(say("one")), encodeFrame(say("two")), rawFrame("", 2 ** 31)));
    parser.push(encodeFrame(say("three")));
    expect(seen).toHaveLength(1);
    expect(parser.pendingBytes).toBe(0);
  });

  it("keeps nothing of a chunk: the caller may use its buffer again", () => {
    const envelopes: Envelope[] = [];
    const parser = new FrameParser({ onFrame: (envelope) => envelopes.push(envelope), onError: fail });
    const [one, two] = [say("one"), say("two")];
    const stream = joined(encodeFrame(one), encodeFrame(two));
    const buffer = new Uint8Array(100);
    for (let at = 0; at < stream.length; at += 100) {
      const piece = stream.subarray(at, at + 100);
      buffer.set(piece);
      parser.push(buffer.subarray(0, piece.length));
      buffer.fill(0xff);
    }
    expect(envelopes).toEqual([one, two]);
  });

  it("keeps parsers apart that take turns in mid-frame", () => {
    const results: string[] = [];
    const parsers = ["a", "b", "c"].map((name) => {
      const parser = new FrameParser({
        onFrame: ({ payload }) => results.push(`${name}:${payload.body}`),
        onError: fail,
      });
      return { parser, bytes: encodeFrame(say(name.repeat(900))) };
    });
    for (let at = 0; at < 1100; at += 10)
      for (const { parser, bytes } of parsers) parser.push(bytes.subarray(at, at + 10));
    expect(results).toEqual(["a", "b", "c"].map((name) => `${name}:${name.repeat(900)}`));
  });
});
