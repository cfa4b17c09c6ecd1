import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { envelopeSchemaOf } from "../../src/relay/schema.js";
import { type Envelope, encodeFrame, isKnownEnvelope, type MessageType } from "../../src/relay.js";
import { cutAt, joined, parseChunks } from "./parse-chunks.js";

interface Recorded {
  stream: string;
  bytes: Uint8Array;
  envelope: Envelope;
}

const lines = readFileSync(new URL("../fixtures/relay-captures.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n");
const frames: Recorded[] = lines.flatMap((line) => {
  const { scenario, conn, dir, hex, envelope } = JSON.parse(line);
  if (envelope === undefined) return [];
  return [{ stream: `${scenario} ${conn} ${dir}`, bytes: Uint8Array.from(Buffer.from(hex, "hex")), envelope }];
});

const streams = new Map<string, Recorded[]>();
for (const frame of frames) streams.set(frame.stream, [...(streams.get(frame.stream) ?? []), frame]);

describe("frames recorded from a real daemon and its clients", () => {
  it("decode to the envelopes that were recorded", () => {
    expect(frames.length).toBe(110);
    for (const { bytes, envelope } of frames) {
      expect(parseChunks([bytes])).toEqual({ envelopes: [envelope], errors: [], pendingBytes: 0 });
    }
  });

  it("decode as streams, whole and cut at every seventh byte", () => {
    for (const stream of streams.values()) {
      const bytes = joined(...stream.map((frame) => frame.bytes));
      const every7th = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) => index * 7);
      const envelopes = stream.map((frame) => frame.envelope);
      expect(parseChunks([bytes]).envelopes).toEqual(envelopes);
      expect(parseChunks(cutAt(bytes, every7th)).envelopes).toEqual(envelopes);
    }
  });

  it("are written again as frames that decode to an equal object, and byte for byte where the text was compact", () => {
    for (const { bytes, envelope } of frames) {
      const again = encodeFrame(envelope);
      expect(parseChunks([again]).envelopes).toEqual([envelope]);
      expect([...again]).toEqual([...bytes]);
    }
  });

  it("hold what their types promise, by guard and by schema", () => {
    for (const { envelope } of frames) {
      const isOneShotAsWritten = isKnownEnvelope(envelope);
      expect(isOneShotAsWritten, JSON.stringify(envelope)).toBe(true);
      expect(envelopeSchemaOf(envelope.type as MessageType).safeParse(envelope).success).toBe(true);
    }
  });
});

describe("what broke the real daemon", () => {
  const [bad] = lines
    .filter((line) => line.includes('"undecodable":true'))
    .map((line) => JSON.parse(line).hex as string);

  it("is a typed error here, too, after the good frame of the same chunk", () => {
    const hello = frames[0] as Recorded;
    const { envelopes, errors } = parseChunks([joined(hello.bytes, Uint8Array.from(Buffer.from(bad ?? "", "hex")))]);
    expect(envelopes).toEqual([hello.envelope]);
    expect(errors.map((error) => error.code)).toEqual(["PROTOCOL_VIOLATION"]);
  });
});
