import { isRecord } from "@daemon-sdk/protocol";

/** Name of the header with a message's head: it can be read without the message. */
export const HEAD = "Replica";

/** Head of a session's row. */
export interface RowHead {
  readonly digest: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Head of a part of the conversation as it was when the copy began. The parts follow one another as bytes of lines. */
export interface BaseHead {
  readonly generation: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly index: number;
  readonly isLast: boolean;
  /** The entries of this copy begin behind this position. */
  readonly from: number;
  /** The conversation has everything up to this position. */
  readonly through: number;
  /** Epoch of that position. */
  readonly epoch: number;
}

/** Head of entries. */
export interface LogHead {
  readonly generation: string;
  /** When the copy was begun, as of {@link BaseHead.at}. */
  readonly begunAt: number;
  /** The entries follow this position: nothing is missing between. */
  readonly after: number;
  readonly first: number;
  readonly last: number;
  /** Epoch of the last one. */
  readonly epoch: number;
  /** When the last one was stored, in Unix milliseconds. */
  readonly at: number;
  /** Digest of the last one. */
  readonly digest: string;
  /** One entry that is larger than a message: which piece of it this is, and of how many. */
  readonly piece?: readonly [index: number, count: number];
}

/** The head of a row's message; undefined when it is none of this version. */
export function rowHeadOf(text: string): RowHead | undefined {
  const head = parsed(text);
  const isOne = head !== undefined && isText(head.digest) && isCount(head.at);
  return isOne ? (head as unknown as RowHead) : undefined;
}

/** The head of a part of a conversation; undefined when it is none of this version. */
export function baseHeadOf(text: string): BaseHead | undefined {
  const head = parsed(text);
  if (head === undefined || !isText(head.generation) || typeof head.isLast !== "boolean") return undefined;
  const isOne = [head.at, head.index, head.from, head.through, head.epoch].every(isCount);
  return isOne ? (head as unknown as BaseHead) : undefined;
}

/** The head of entries; undefined when it is none of this version. */
export function logHeadOf(text: string): LogHead | undefined {
  const head = parsed(text);
  if (head === undefined || !isText(head.generation) || !isText(head.digest)) return undefined;
  const { begunAt, after, first, last, epoch, at, piece } = head;
  if (![begunAt, after, first, last, epoch, at].every(isCount)) return undefined;
  const isWhole = piece === undefined || (Array.isArray(piece) && piece.length === 2 && piece.every(isCount));
  return isWhole ? (head as unknown as LogHead) : undefined;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
