import type { ProtocolError } from "../../src/errors.js";
import { type Envelope, FrameParser } from "../../src/relay.js";

/** What a parser made of a stream, in order. */
export interface Parsed {
  envelopes: Envelope[];
  errors: ProtocolError[];
  pendingBytes: number;
}

/** Feeds chunks to a new parser. */
export function parseChunks(chunks: Iterable<Uint8Array>, maxFrameBytes?: number): Parsed {
  const envelopes: Envelope[] = [];
  const errors: ProtocolError[] = [];
  const parser = new FrameParser({
    ...(maxFrameBytes === undefined ? {} : { maxFrameBytes }),
    onFrame: (envelope) => envelopes.push(envelope),
    onError: (error) => errors.push(error),
  });
  for (const chunk of chunks) parser.push(chunk);
  return { envelopes, errors, pendingBytes: parser.pendingBytes };
}

/** Runs of bytes as one. */
export function joined(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A header of this length, and any bytes after it. */
export function rawFrame(payload: Uint8Array | string, length?: number): Uint8Array {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const header = new Uint8Array(4);
  new DataView(header.buffer).setUint32(0, length ?? bytes.length);
  return joined(header, bytes);
}

/** The bytes in pieces that end at these places. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    pieces.push(bytes.slice(from, end));
    from = end;
  }
  return pieces;
}
