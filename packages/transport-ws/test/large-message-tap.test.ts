import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import * as ws from "ws";
import { LargeMessageTap } from "../src/large-message-tap.js";

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

/** A frame as a client sends it. */
function frame(opcode: number, payload: Uint8Array, isFinal = true): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length > 0xffff ? 10 : length > 125 ? 4 : 2);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (length > 0xffff ? 127 : length > 125 ? 126 : length);
  if (length > 0xffff) head.writeBigUInt64BE(BigInt(length), 2);
  else if (length > 125) head.writeUInt16BE(length, 2);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0))]);
}

/** A message in so many fragments, with a ping after the first of them. */
function message(text: string, fragments: number): Buffer {
  const bytes = Buffer.from(text);
  const size = Math.ceil(bytes.length / fragments);
  const frames = Array.from({ length: fragments }, (_none, index) =>
    frame(index === 0 ? 1 : 0, bytes.subarray(index * size, (index + 1) * size), index === fragments - 1),
  );
  return Buffer.concat([frames[0] as Buffer, frame(9, Buffer.from("ping")), ...frames.slice(1)]);
}

/** What is received of those bytes, which arrive in chunks of that size: with the tap before the library, or without it. */
function received(bytes: Uint8Array, chunk: number, isTapped: boolean): string[] {
  const events: string[] = [];
  const receiver = new Receiver({ isServer: true, maxPayload: MAX_BYTES, maxFragments: MAX_FRAGMENTS });
  receiver.on("message", (data) => events.push(String(data)));
  receiver.on("ping", (data) => events.push(`ping ${data}`));
  receiver.on("error", (error) => events.push(`error ${error.code}`));
  const tap = new LargeMessageTap({
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
    const part = Uint8Array.from(bytes.subarray(at, at + chunk));
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
    fc.property(texts, fc.integer({ min: 1, max: 2_000 }), (sent, chunk) => {
      const bytes = Buffer.concat(sent.map(({ text, fragments }) => message(text, fragments)));
      expect(received(bytes, chunk, true)).toEqual(sent.map(({ text }) => text));
    }),
    { numRuns: 200 },
  );
});

const BAD = {
  "a message that is too large": frame(1, Buffer.alloc(MAX_BYTES + 1, "x")),
  "fragments that are too large together": Buffer.concat([
    frame(1, Buffer.alloc(MAX_BYTES, "x"), false),
    frame(0, Buffer.from("x")),
  ]),
  "too many fragments": Buffer.concat([
    frame(1, Buffer.from("x"), false),
    ...Array.from({ length: MAX_FRAGMENTS }, () => frame(0, Buffer.from("x"), false)),
  ]),
  "a text that is no UTF-8": frame(1, Buffer.alloc(FROM_BYTES + 1, 0xff)),
  "a text that ends within a character": frame(1, Buffer.concat([Buffer.alloc(FROM_BYTES), Buffer.from([0xe2, 0x82])])),
  "a text within another": Buffer.concat([frame(1, Buffer.from("x"), false), frame(1, Buffer.from("x"))]),
  "a continuation of nothing": frame(0, Buffer.from("x")),
  "a frame with a reserved bit": frame(0x41, Buffer.alloc(FROM_BYTES + 1)),
};

test.each(Object.entries(BAD))(
  "%s ends the link as without the tap, and nothing after it is received",
  (_name, bad) => {
    const bytes = Buffer.concat([message("before", 1), bad, message("after", 1)]);
    for (const chunk of [1, 7, bytes.length]) {
      const events = received(bytes, chunk, true);
      expect(events.slice(0, 2)).toEqual(received(bytes, chunk, false).slice(0, 2));
      expect(events).not.toContain("after");
    }
  },
);
