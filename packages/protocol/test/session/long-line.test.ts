import { expect, test, vi } from "vitest";
import { LineSplitter } from "../../src/session/newline-framing.js";
import { TextCutter } from "../../src/session/text-cutter.js";

test("a line that becomes too long is cut little by little, not all of it when it passes the bound", () => {
  const push = vi.spyOn(TextCutter.prototype, "push");
  const piece = new Uint8Array(8 * 1024).fill(0x7a);
  const lines: string[] = [];
  const maxLineBytes = 4 * 2 ** 20;
  const splitter = new LineSplitter({
    maxLineBytes,
    cutTextBytes: 1_024,
    onLine: (line) => lines.push(line),
    onError: ({ code }) => lines.push(code),
  });
  const cutBytes = () => push.mock.calls.reduce((sum, [part]) => sum + part.length, 0);
  const cutAtOnce: number[] = [];
  for (let bytes = 0; bytes < 2 * maxLineBytes; bytes += piece.length) {
    const before = cutBytes();
    splitter.push(piece);
    cutAtOnce.push(cutBytes() - before);
  }
  expect(cutBytes()).toBe(2 * maxLineBytes);
  expect(Math.max(...cutAtOnce)).toBeLessThanOrEqual(256 * 1024);
  splitter.end();
  expect(lines).toEqual(["MESSAGE_TOO_LARGE"]);
  push.mockRestore();
});

test("a line whose beginning tells that it is short is cut, and others of its size are not", () => {
  const lines: { bytes: number; missing: number | undefined }[] = [];
  const splitter = new LineSplitter({
    maxLineBytes: 4 * 2 ** 20,
    cutTextBytes: 1_024,
    maxBytesOf: (head) => (head.includes("title") ? 2 ** 18 : undefined),
    onLine: (line, cut) => lines.push({ bytes: line.length, missing: cut?.missingBytes }),
    onError: ({ code }) => expect.unreachable(code),
  });
  const whole = JSON.stringify({ type: "message", text: "x".repeat(2 ** 20) });
  const text = `${JSON.stringify({ type: "title", text: "x".repeat(2 ** 20) })}\n${whole}\n`;
  for (let at = 0; at < text.length; at += 8_192) splitter.push(Buffer.from(text.slice(at, at + 8_192)));
  expect(lines).toEqual([
    { bytes: expect.any(Number), missing: 2 ** 20 - 1_024 },
    { bytes: whole.length, missing: undefined },
  ]);
  expect(lines[0]?.bytes).toBeLessThan(2_048);
});
