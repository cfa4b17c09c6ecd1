import { decodeFrame, sessionId } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isRequestFrame } from "../../src/journal/journal-frame.js";
import { RetentionScan } from "../../src/journal/journal-retention.js";
import type { SegmentInfo } from "../../src/storage/store.js";
import { requestNamed, takeSegments, unstoredLog } from "./unstored-log.js";

/** What a journal is given came in a frame: keys that pollute, at whatever depth, were refused with theirs. */
function cameIn(params: object): boolean {
  const envelope = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "notification", method: "x" };
  return decodeFrame(JSON.stringify({ ...envelope, params })).ok;
}

const plain = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })).filter(cameIn);

test("every frame is one envelope without a raw newline, that says what it was given, at its own position", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.array(fc.tuple(fc.boolean(), plain, plain)), (id, entries) => {
      const log = unstoredLog({ sessionId: sessionId(id), epoch: 7, lastSeq: 10 });
      for (const [isRequest, fields, meta] of entries) {
        if (isRequest) requestNamed(log, "q", fields);
        else
          log.append({ ...fields, type: "x" }, {
            ...meta,
            epoch: 99,
            seq: 99,
            early: true,
            resolved: true,
          } as object);
      }
      const segments = takeSegments(log);
      const frames = segments.flatMap(({ epoch, firstSeq, entries }) =>
        entries.map((entry, index) => log.frames.frameOf(entry, { epoch, seq: firstSeq + index })),
      );
      expect(frames).toHaveLength(entries.length);
      for (const [index, frame] of frames.entries()) {
        const [isRequest, fields, meta] = entries[index] ?? [false, {}, {}];
        expect(frame).not.toContain("\n");
        expect(isRequestFrame(frame)).toBe(isRequest);
        const text = JSON.parse(frame);
        expect(text._meta).toMatchObject({ epoch: 7, seq: 11 + index });
        if (isRequest) expect(text.params).toEqual({ ...json(fields), sessionId: id });
        else {
          expect(text.params).toEqual({ sessionId: id, notification: { ...json(fields), type: "x" } });
          expect(text._meta).toEqual({ ...json(meta), epoch: 7, seq: 11 + index });
        }
        if (!("traceparent" in meta) && !("tracestate" in meta)) expect(decodeFrame(frame).ok).toBe(true);
      }
    }),
  );
});

function json(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}

const LIMITS = { journalKeepMs: 100, journalKeepBytes: 1_000, journalOldEntries: 50, journalOldBytes: 500 };
const segments: fc.Arbitrary<SegmentInfo[]> = fc
  .array(
    fc.record({ count: fc.integer({ min: 1, max: 64 }), bytes: fc.integer({ min: 1, max: 400 }), age: fc.nat(50) }),
  )
  .map((parts) => {
    let firstSeq = 1;
    let createdAt = 0;
    const made = parts.map(({ count, bytes, age }) => {
      createdAt += age;
      const info = { epoch: 1, firstSeq, lastSeq: firstSeq + count - 1, bytes, createdAt };
      firstSeq += count;
      return info;
    });
    return made.reverse();
  });

test("what is kept of a journal is within its bounds, whole, and never less than the newest segment", () => {
  fc.assert(
    fc.property(segments, fc.nat(200), fc.option(fc.integer({ min: 1, max: 500 })), (all, later, turn) => {
      const now = (all[0]?.createdAt ?? 0) + later;
      const turnFirstSeq = turn ?? undefined;
      const before = new RetentionScan({ now, turnFirstSeq }, LIMITS).take(all);
      const kept = all.filter(({ lastSeq }, index) => index === 0 || before === undefined || lastSeq >= before);
      expect(kept).toEqual(all.slice(0, kept.length));
      const isRecent = ({ lastSeq, createdAt }: SegmentInfo) =>
        now - createdAt < LIMITS.journalKeepMs || (turnFirstSeq !== undefined && lastSeq >= turnFirstSeq);
      const bytesOf = (infos: SegmentInfo[]) => infos.reduce((sum, { bytes }) => sum + bytes, 0);
      const [recent, old] = [kept.filter(isRecent), kept.filter((info) => !isRecent(info))];
      if (kept.length > 1) {
        expect(bytesOf(recent)).toBeLessThanOrEqual(LIMITS.journalKeepBytes);
        expect(bytesOf(old)).toBeLessThanOrEqual(LIMITS.journalOldBytes);
        expect(old.reduce((sum, { firstSeq, lastSeq }) => sum + lastSeq - firstSeq + 1, 0)).toBeLessThanOrEqual(50);
      }
      // Nothing is dropped that would have fitted.
      const next = all[kept.length];
      if (next !== undefined)
        expect(new RetentionScan({ now, turnFirstSeq }, LIMITS).take(all.slice(0, kept.length + 1))).toBe(
          next.lastSeq + 1,
        );
    }),
  );
});
