import type { ReplicaEntries } from "@daemon-sdk/protocol";
import type { LogHead } from "../replica-wire/index.js";

/** A message with entries that is to be published. */
export interface PackedEntries {
  readonly head: LogHead;
  readonly body: Uint8Array;
}

/** What entries continue. */
export interface Continued {
  readonly generation: string;
  readonly begunAt: number;
  readonly seq: number;
}

/** Bounds of one message. */
export interface PackBounds {
  readonly bytes: number;
  readonly entries: number;
}

/**
 * Packs entries into messages within the bounds, in order. They are JSON and hold no line break, so they are joined by one. An entry
 * that is larger than a message is cut into pieces, in messages of its own.
 */
export function* packEntries(
  run: ReplicaEntries,
  continued: Continued,
  bounds: PackBounds,
  digestOf: (entry: string) => string,
): Generator<PackedEntries> {
  const { generation, begunAt } = continued;
  let after = continued.seq;
  const encoder = new TextEncoder();
  let first = run.firstSeq;
  let bodies: Uint8Array[] = [];
  let bytes = 0;
  const headOf = (count: number, entry: string): LogHead => {
    const last = first + count - 1;
    return { generation, begunAt, after, first, last, epoch: run.epoch, at: run.at, digest: digestOf(entry) };
  };
  const flush = function* (entry: string | undefined): Generator<PackedEntries> {
    if (entry === undefined || bodies.length === 0) return;
    yield { head: headOf(bodies.length, entry), body: joined(bodies) };
    after = first + bodies.length - 1;
    first = after + 1;
    bodies = [];
    bytes = 0;
  };
  for (const [index, entry] of run.entries.entries()) {
    const body = encoder.encode(entry);
    const isFull = bodies.length >= bounds.entries || bytes + body.length + 1 > bounds.bytes;
    if (isFull) yield* flush(run.entries[index - 1]);
    if (body.length + 1 > bounds.bytes) {
      const head = headOf(1, entry);
      yield* inPieces(head, body, bounds.bytes);
      after = head.last;
      first = after + 1;
    } else {
      bodies.push(body);
      bytes += body.length + 1;
    }
  }
  yield* flush(run.entries.at(-1));
}

function* inPieces(head: LogHead, body: Uint8Array, most: number): Generator<PackedEntries> {
  const pieces = [...cut(body, most)];
  for (const [index, piece] of pieces.entries())
    yield { head: { ...head, piece: [index, pieces.length] }, body: piece };
}

/** Collects lines, and gives them back as pieces of at most so many bytes. The pieces joined are the lines, each with a line break behind it. */
export class LinePieces {
  readonly #most: number;
  #rest: Uint8Array = new Uint8Array();

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  /** The pieces that are full with this line. */
  *add(line: string): Generator<Uint8Array> {
    const pieces = [...cut(joined([this.#rest, new TextEncoder().encode(`${line}\n`)], ""), this.#most)];
    this.#rest = pieces.pop() ?? new Uint8Array();
    yield* pieces;
  }

  /** What is left. */
  rest(): Uint8Array {
    return this.#rest;
  }
}

function* cut(bytes: Uint8Array, most: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += most) yield bytes.subarray(at, at + most);
}

/** Bytes one behind the other. */
export function joined(parts: readonly Uint8Array[], between: "\n" | "" = "\n"): Uint8Array {
  const gap = between === "" ? 0 : 1;
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, Math.max(0, parts.length - 1) * gap));
  let at = 0;
  for (const [index, part] of parts.entries()) {
    if (index > 0 && gap > 0) all[at++] = between.charCodeAt(0);
    all.set(part, at);
    at += part.length;
  }
  return all;
}
