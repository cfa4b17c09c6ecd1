import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/errors.js";
import { LIMITS } from "../../src/limits/index.js";
import { createEnvelope, type Envelope, encodeFrame, FrameWriter, PROTOCOL_VERSION } from "../../src/relay.js";
import { parseChunks } from "./parse-chunks.js";

const say = (body: string) => createEnvelope("SEND", { kind: "message", body }, { to: "Bob" });
const overhead = encodeFrame(say("")).length - 4;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (ProtocolError.is(error)) return error.code;
    throw error;
  }
  return "nothing was thrown";
}

describe("createEnvelope", () => {
  it("stamps the version, a UUID v4 and the time, and takes what it is given", () => {
    const envelope = createEnvelope("PING", { nonce: "n" });
    expect(envelope.v).toBe(PROTOCOL_VERSION);
    expect(envelope.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Math.abs(envelope.ts - Date.now())).toBeLessThan(60_000);
    expect(createEnvelope("PONG", { nonce: "n" }, { id: "x", ts: 5, to: "Bob" })).toEqual({
      v: 1,
      type: "PONG",
      id: "x",
      ts: 5,
      to: "Bob",
      payload: { nonce: "n" },
    });
  });
});

describe("encodeFrame", () => {
  it("writes four bytes of length, big-endian, and JSON", () => {
    const frame = encodeFrame({ v: 1, type: "BYE", id: "a", ts: 1, payload: {} });
    expect(Buffer.from(frame).toString("hex")).toBe(
      "000000317b2276223a312c2274797065223a22425945222c226964223a2261222c227473223a312c227061796c6f6164223a7b7d7d",
    );
  });

  it("counts bytes, not characters, and leaves out what is undefined", () => {
    const envelope = { ...say("äöü 漢字 😀"), topic: undefined } as unknown as Envelope<unknown>;
    const frame = encodeFrame(envelope);
    expect(new DataView(frame.buffer, frame.byteOffset).getUint32(0)).toBe(frame.length - 4);
    expect(parseChunks([frame]).envelopes).toEqual([JSON.parse(JSON.stringify(envelope))]);
  });

  it("takes a frame of exactly the limit and refuses one byte more, whatever the characters weigh", () => {
    for (const [character, weight] of [
      ["x", 1],
      ["ä", 2],
      ["漢", 3],
      ["😀", 4],
    ] as const) {
      const limit = overhead + 100 * weight;
      expect(encodeFrame(say(character.repeat(100)), limit).length).toBe(limit + 4);
      expect(codeOf(() => encodeFrame(say(`${character.repeat(100)}y`), limit))).toBe("MESSAGE_TOO_LARGE");
    }
    const largest = say("x".repeat(LIMITS.relayFrameBytes - overhead));
    expect(encodeFrame(largest).length).toBe(LIMITS.relayFrameBytes + 4);
    expect(codeOf(() => encodeFrame(say(`${largest.payload.body}x`)))).toBe("MESSAGE_TOO_LARGE");
  });

  it("refuses what is not JSON with a typed error that names the envelope", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    let deep: unknown = 0;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    for (const data of [cycle, { big: 1n }, { deep }]) {
      const envelope = createEnvelope("SEND", { kind: "message", body: "", data });
      expect(codeOf(() => encodeFrame(envelope))).toBe("PROTOCOL_VIOLATION");
      expect(() => encodeFrame(envelope)).toThrow(expect.objectContaining({ data: { id: envelope.id } }));
    }
  });

  it("never overwrites a frame that it returned", () => {
    const envelopes = Array.from({ length: 2000 }, (_, index) => say(`${index} `.repeat(index % 50)));
    const frames = envelopes.map((envelope) => encodeFrame(envelope));
    expect(parseChunks(frames).envelopes).toEqual(envelopes);
  });
});

describe("FrameWriter", () => {
  it("writes several frames as one run of bytes, in order, whatever they hold", () => {
    const bodies = ["plain", "ünï", "x".repeat(5000), "", "😀".repeat(3000), "z".repeat(200_000)];
    const writer = new FrameWriter();
    for (const some of [bodies.slice(0, 1), bodies.slice(0, 2), bodies.slice(2, 4), bodies]) {
      const envelopes = some.map(say);
      for (const envelope of envelopes) writer.write(envelope);
      expect(writer.pendingFrames).toBe(some.length);
      expect(parseChunks([writer.take()]).envelopes).toEqual(envelopes);
      expect(writer.pendingFrames).toBe(0);
    }
  });

  it("uses one slab for life when its chunks are given back, and none of them before", () => {
    const writer = new FrameWriter();
    writer.write(say("warm-up"));
    const first = writer.take();
    writer.release(first);
    for (let round = 0; round < 5000; round += 1) {
      writer.write(say("one"));
      writer.write(say("two"));
      const chunk = writer.take();
      expect(chunk.buffer).toBe(first.buffer);
      writer.release(chunk);
    }
  });

  it("overwrites nothing that is still out, also when chunks come back in another order", () => {
    const writer = new FrameWriter({ slabBytes: 1024 });
    const out: { chunk: Uint8Array; copy: number[] }[] = [];
    for (let round = 0; round < 500; round += 1) {
      writer.write(say(`round ${round}`));
      const chunk = writer.take();
      out.push({ chunk, copy: [...chunk] });
      for (const { chunk: held, copy } of out) expect([...held]).toEqual(copy);
      if (out.length > 4) writer.release((out.splice(round % 5, 1)[0] as { chunk: Uint8Array }).chunk);
    }
  });

  it("keeps the frames before one that is refused", () => {
    const writer = new FrameWriter({ maxFrameBytes: overhead + 10 });
    const good = say("good");
    writer.write(good);
    expect(codeOf(() => writer.write(say("much too long")))).toBe("MESSAGE_TOO_LARGE");
    expect(parseChunks([writer.take()]).envelopes).toEqual([good]);
    expect(writer.take()).toHaveLength(0);
  });

  it("takes JSON that exists already, and tells how much waits", () => {
    const writer = new FrameWriter();
    const envelope = say("stored");
    writer.writeText(JSON.stringify(envelope));
    expect(writer.pendingBytes).toBe(encodeFrame(envelope).length);
    expect(parseChunks([writer.take()]).envelopes).toEqual([envelope]);
    expect(writer.pendingBytes).toBe(0);
  });
});
