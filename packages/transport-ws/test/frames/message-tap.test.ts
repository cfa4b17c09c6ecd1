import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as ws from "ws";
import { MessageTap } from "../../src/frames/message-tap.js";

/** What the library reads a socket with; its types leave it out. */
const { Receiver } = ws as unknown as {
  Receiver: new (
    options: object,
  ) => {
    write(bytes: Uint8Array): boolean;
    on(event: "message" | "ping", listener: (data: Buffer) => void): void;
    on(event: "error", listener: (error: NodeJS.ErrnoException) => void): void;
  };
};

const FROM_BYTES = 300;
const MAX_BYTES = 4_000;
const MAX_FRAGMENTS = 8;

/** A frame as a client sends it, or as a server does. */
function frame(opcode: number, payload: Uint8Array, isFinal = true, isMasked = true): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length > 0xffff ? 10 : length > 125 ? 4 : 2);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (length > 0xffff ? 127 : length > 125 ? 126 : length);
  if (length > 0xffff) head.writeBigUInt64BE(BigInt(length), 2);
  else if (length > 125) head.writeUInt16BE(length, 2);
  if (!isMasked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0))]);
}

/** A message in so many fragments, with a ping after the first of them. */
function message(text: string, fragments: number, isMasked = true): Buffer {
  const bytes = Buffer.from(text);
  const size = Math.ceil(bytes.length / fragments);
  const frames = Array.from({ length: fragments }, (_none, index) =>
    frame(index === 0 ? 1 : 0, bytes.subarray(index * size, (index + 1) * size), index === fragments - 1, isMasked),
  );
  return Buffer.concat([frames[0] as Buffer, frame(9, Buffer.from("ping"), true, isMasked), ...frames.slice(1)]);
}

/** What is received of those bytes, which arrive in chunks of that size: with the tap before the library, or without it. */
function received(bytes: Uint8Array, chunk: number, isTapped: boolean, isMasked = true): string[] {
  const events: string[] = [];
  const receiver = new Receiver({ isServer: isMasked, maxPayload: MAX_BYTES, maxFragments: MAX_FRAGMENTS });
  receiver.on("message", (data) => events.push(String(data)));
  receiver.on("ping", (data) => events.push(`ping ${data}`));
  receiver.on("error", (error) => events.push(`error ${error.code}`));
  const tap = new MessageTap({
    isMasked,
    fromBytes: FROM_BYTES,
    maxBytes: MAX_BYTES,
    maxFragments: MAX_FRAGMENTS,
    forward: (part) => receiver.write(part),
    onText: (text) => events.push(text),
    begin: () => {
      const parts: Uint8Array[] = [];
      return { push: (part) => parts.push(part), end: () => events.push(Buffer.concat(parts).toString()) };
    },
  });
  for (let at = 0; at < bytes.length; at += chunk) {
    const part = Buffer.from(bytes.subarray(at, at + chunk));
    if (isTapped) tap.push(part);
    else receiver.write(part);
  }
  return events.filter((event) => !event.startsWith("ping"));
}

const texts = fc.array(
  fc.record({
    text: fc.string({ unit: "grapheme", maxLength: 700 }).map((text) => text || "x"),
    fragments: fc.integer({ min: 1, max: 5 }),
  }),
  { maxLength: 6 },
);

test("small, large and fragmented messages arrive whole and in order, however the bytes are cut", () => {
  void fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 2_000 }), fc.boolean(), (sent, chunk, isMasked) => {
      const bytes = Buffer.concat(sent.map(({ text, fragments }) => message(text, fragments, isMasked)));
      expect(received(bytes, chunk, true, isMasked)).toEqual(sent.map(({ text }) => text));
    }),
    { numRuns: 200 },
  );
});

/** {@link frame}, for one side. */
type Framing = (opcode: number, payload: Uint8Array, isFinal?: boolean) => Buffer;

const BAD: Record<string, (frame: Framing) => Buffer> = {
  "a message that is too large": (frame) => frame(1, Buffer.alloc(MAX_BYTES + 1, "x")),
  "fragments that are too large together": (frame) =>
    Buffer.concat([frame(1, Buffer.alloc(MAX_BYTES, "x"), false), frame(0, Buffer.from("x"))]),
  "too many fragments": (frame) =>
    Buffer.concat([
      frame(1, Buffer.from("x"), false),
      ...Array.from({ length: MAX_FRAGMENTS }, () => frame(0, Buffer.from("x"), false)),
    ]),
  "a text that is no UTF-8": (frame) => frame(1, Buffer.alloc(FROM_BYTES + 1, 0xff)),
  "a text that ends within a character": (frame) =>
    frame(1, Buffer.concat([Buffer.alloc(FROM_BYTES), Buffer.from([0xe2, 0x82])])),
  "a text within another": (frame) => Buffer.concat([frame(1, Buffer.from("x"), false), frame(1, Buffer.from("x"))]),
  "a continuation of nothing": (frame) => frame(0, Buffer.from("x")),
  "a text of a few bytes that is no UTF-8": (frame) => frame(1, Buffer.from([0x78, 0xff])),
  "a ping in two frames": (frame) => frame(9, Buffer.from("x"), false),
  "a frame of an unknown kind": (frame) => frame(3, Buffer.from("x")),
  "a close frame": (frame) => frame(8, Buffer.from([0x03, 0xe8])),
  "a frame with a reserved bit": (frame) => frame(0x41, Buffer.alloc(FROM_BYTES + 1)),
};

test.each(Object.entries(BAD))(
  "%s ends the link as without the tap, and nothing after it is received",
  (_name, bad) => {
    for (const isMasked of [true, false]) {
      const framing: Framing = (opcode, payload, isFinal = true) => frame(opcode, payload, isFinal, isMasked);
      const parts = [message("before", 1, isMasked), bad(framing), message("after", 1, isMasked)];
      const bytes = Buffer.concat(parts);
      for (const chunk of [1, 7, bytes.length]) {
        const events = received(bytes, chunk, true, isMasked);
        expect(events.slice(0, 2)).toEqual(received(bytes, chunk, false, isMasked).slice(0, 2));
        expect(events).not.toContain("after");
      }
    }
  },
);

test.each([true, false])(
  "a frame that is masked where it must not be, or the reverse, ends the link (masked: %s)",
  (isMasked) => {
    const bytes = Buffer.concat([
      message("before", 1, isMasked),
      message("wrong", 1, !isMasked),
      message("after", 1, isMasked),
    ]);
    const events = received(bytes, bytes.length, true, isMasked);
    expect(events.slice(0, 2)).toEqual(received(bytes, bytes.length, false, isMasked).slice(0, 2));
    expect(events).not.toContain("after");
  },
);
