import type { Duplex } from "node:stream";
import { LIMITS } from "@daemon-sdk/protocol";

/** What a corked stream passes on together. */
type Chunks = Parameters<NonNullable<Duplex["_writev"]>>[0];

/**
 * Lets a corked stream write what it holds as one chunk of bytes, as long as that is not much.
 *
 * `ws` writes two chunks for each message: the head of its frame, and its text. Node passes each of them to the system by itself, and
 * looks at each text twice; to copy all into one buffer takes half of that time (0.9 → 0.5 µs a message of 300 bytes).
 */
export function joinWrites(stream: Duplex): void {
  const apart = stream._writev?.bind(stream);
  if (apart === undefined) return;
  stream._writev = (chunks, callback) => {
    const bytes = bytesOf(chunks);
    if (bytes > 2 * LIMITS.coalesceBytes) apart(chunks, callback);
    else stream._write(joined(chunks, bytes), "buffer" as BufferEncoding, callback);
  };
}

function bytesOf(chunks: Chunks): number {
  let bytes = 0;
  for (const { chunk, encoding } of chunks) {
    bytes += typeof chunk === "string" ? Buffer.byteLength(chunk, encoding) : chunk.length;
  }
  return bytes;
}

function joined(chunks: Chunks, bytes: number): Buffer {
  const all = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { chunk, encoding } of chunks) {
    if (typeof chunk === "string") at += all.write(chunk, at, encoding);
    else {
      all.set(chunk, at);
      at += chunk.length;
    }
  }
  return all;
}
