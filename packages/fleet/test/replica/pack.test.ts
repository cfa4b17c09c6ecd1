import type { ReplicaEntries } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { LinePieces, packEntries } from "../../src/replica/pack.js";
import { type BaseHead, SessionBook } from "../../src/replica-wire/index.js";

const GENERATION = { generation: "g-1", begunAt: 1, seq: 0 };

function message(text: string): string {
  const content = [{ type: "text", text }];
  return JSON.stringify({
    type: "create_message",
    message: { id: text, role: "user", content, createdAt: 1, updatedAt: 1 },
  });
}

function run(texts: readonly string[], firstSeq = 1): ReplicaEntries {
  return { firstSeq, entries: texts.map((text) => message(text)), epoch: 3, at: 9 };
}

function packed(entries: ReplicaEntries, bounds: { bytes: number; entries: number }, seq = entries.firstSeq - 1) {
  return [...packEntries(entries, { ...GENERATION, seq }, bounds, (entry) => entry.slice(-9))];
}

/** A book with the beginning of a copy, and what is added to it. */
function bookOf(messages: readonly { readonly head: object; readonly body: Uint8Array }[], keeps = true): SessionBook {
  const book = new SessionBook(keeps);
  const head: BaseHead = { generation: "g-1", at: 1, index: 0, isLast: true, from: 0, through: 0, epoch: 0 };
  book.add({ part: "base", head: JSON.stringify(head), body: new Uint8Array() });
  for (const { head, body } of messages) book.add({ part: "log", head: JSON.stringify(head), body });
  return book;
}

function textsIn(book: SessionBook): string[] {
  return book.read().messages.map(({ id }) => id);
}

describe("entries in messages of a replica", () => {
  test("are as many as a message may have, and come out as they went in", () => {
    const texts = Array.from({ length: 130 }, (_, index) => `ä${index}`);
    const messages = packed(run(texts), { bytes: 100_000, entries: 64 });
    expect(messages.map(({ head }) => [head.after, head.first, head.last])).toEqual([
      [0, 1, 64],
      [64, 65, 128],
      [128, 129, 130],
    ]);
    const book = bookOf(messages);
    expect(textsIn(book)).toEqual(texts);
    expect(book.read()).toMatchObject({ isWhole: true, upTo: { position: { epoch: 3, seq: 130 }, at: 9 } });
    expect(book.read().entries.map(({ seq }) => seq)).toEqual(texts.map((_, index) => index + 1));
  });

  test("are no larger than a message may be, and one that is larger is cut and joined again", () => {
    const texts = ["small", "x".repeat(1_000), `é${"y".repeat(499)}é`, "end"];
    const messages = packed(run(texts), { bytes: 300, entries: 64 });
    for (const { body } of messages) expect(body.length).toBeLessThanOrEqual(300);
    expect(textsIn(bookOf(messages))).toEqual(texts);
    const cutShort = bookOf(messages.slice(0, 3));
    expect(textsIn(cutShort)).toEqual(["small"]);
    expect(cutShort.read().upTo?.position.seq).toBe(1);
    // The pieces begin again after a restart.
    expect(textsIn(bookOf([...messages.slice(0, 3), ...messages.slice(1)]))).toEqual(texts);
  });

  test("that are there twice, also divided otherwise, are taken once", () => {
    const texts = ["a", "b", "c", "d", "e"];
    const one = packed(run(texts.slice(0, 4)), { bytes: 1_000, entries: 2 });
    const other = packed(run(texts.slice(1), 2), { bytes: 1_000, entries: 3 });
    const book = bookOf([...one, ...one, ...other]);
    expect(textsIn(book)).toEqual(texts);
    expect(book.read().entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test("behind a gap are passed over until what is missing comes", () => {
    const texts = ["a", "b", "c", "d"];
    const [first, second, third, fourth] = packed(run(texts), { bytes: 1_000, entries: 1 });
    if (first === undefined || second === undefined || third === undefined || fourth === undefined) return;
    const gap = bookOf([first, third, fourth]);
    expect(gap.read().upTo?.position.seq).toBe(1);
    expect(textsIn(bookOf([first, third, second, third, fourth]))).toEqual(texts);
  });

  test("without their beginning begin with the first one that is left, which is stated", () => {
    const messages = packed(run(["a", "b", "c"]), { bytes: 1_000, entries: 1 });
    const book = new SessionBook(false);
    for (const { head, body } of messages.slice(1)) book.add({ part: "log", head: JSON.stringify(head), body });
    expect(textsIn(book)).toEqual(["b", "c"]);
    expect(book.read()).toMatchObject({ isWhole: false, upTo: { position: { seq: 3 } } });
  });

  test("of a hole in the journal itself are followed by those behind it", () => {
    const messages = packed(run(["d"], 4), { bytes: 1_000, entries: 64 }, 1);
    expect(textsIn(bookOf([...packed(run(["a"]), { bytes: 1_000, entries: 64 }), ...messages]))).toEqual(["a", "d"]);
  });
});

describe("a copy that begins anew", () => {
  const bodyOf = (...texts: string[]) =>
    new TextEncoder().encode(
      texts.map((text) => `${JSON.stringify({ id: text, role: "user", content: [] })}\n`).join(""),
    );
  const head = { generation: "g-2", at: 5, index: 0, isLast: false, from: 2, through: 3, epoch: 4 };

  test("replaces the one before when all of its beginning is there, and not earlier", () => {
    const book = bookOf(packed(run(["a", "b"]), { bytes: 1_000, entries: 64 }), false);
    book.add({ part: "base", head: JSON.stringify(head), body: bodyOf("a", "b") });
    expect(textsIn(book)).toEqual(["a", "b"]);
    expect(book.read().upTo?.position.seq).toBe(2);
    book.add({ part: "base", head: JSON.stringify({ ...head, index: 1, isLast: true }), body: bodyOf("c") });
    expect(textsIn(book)).toEqual(["a", "b", "c"]);
    expect(book.read()).toMatchObject({ isWhole: true, upTo: { position: { epoch: 4, seq: 3 } } });
  });

  test("is not made of parts of which one is missing", () => {
    const book = bookOf(packed(run(["a"]), { bytes: 1_000, entries: 64 }));
    book.add({ part: "base", head: JSON.stringify({ ...head, index: 1, isLast: true }), body: bodyOf("c") });
    expect(textsIn(book)).toEqual(["a"]);
  });

  test("takes entries that its messages have already, and those that retract or repeat one", () => {
    const entries = [message("a"), message("b"), message("c")];
    const retracted = JSON.stringify({ type: "assistant_message_retracted", messageId: "b" });
    const book = bookOf(
      packed({ firstSeq: 1, entries: [...entries, retracted], epoch: 1, at: 1 }, { bytes: 9_000, entries: 64 }),
    );
    expect(textsIn(book)).toEqual(["a", "c"]);
  });
});

test("lines in pieces are the lines again", () => {
  const pieces = new LinePieces(7);
  const bytes = [...pieces.add("äöü 1\nline 2"), ...pieces.add("3"), pieces.rest()];
  for (const piece of bytes) expect(piece.length).toBeLessThanOrEqual(7);
  expect(Buffer.concat(bytes).toString()).toBe("äöü 1\nline 2\n3\n");
});
