import { sessionId } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EntryFrames } from "../../src/journal/entry-frames.js";
import { isFreeEntry, notificationOf } from "../../src/journal/journal-frame.js";

const FRAMES = new EntryFrames(sessionId("s-1"));
const AT = { epoch: 7, seq: 12 };

/** What an agent may send, among it what begins as a frame of the wire does. */
const notification = fc.oneof(
  fc.dictionary(fc.string(), fc.json()).map((fields) => ({ ...fields, type: "x" })),
  fc.constantFrom("notification", "request").map((type) => ({
    ...{ jsonrpc: "2.0", factoryApiVersion: "1.0.0", type, method: "daemon.session_notification" },
    ...{ params: { notification: { type: "session_closed" } }, _meta: { epoch: 1, seq: 1 } },
  })),
);

test("whatever a notification is, its entry has the frame that clients are sent, and is read as that notification", () => {
  fc.assert(
    fc.property(notification, fc.constantFrom(undefined, { traceparent: "00-1" }), (fields, meta) => {
      const entry = FRAMES.entryOf(JSON.stringify(fields), AT, meta);
      const frame = FRAMES.frameOf(entry, AT);
      expect(JSON.parse(frame)).toMatchObject({ params: { sessionId: "s-1" }, _meta: { ...meta, ...AT } });
      expect(JSON.parse(frame).params.notification).toEqual(JSON.parse(JSON.stringify(fields)));
      expect(notificationOf(entry)).toEqual(JSON.parse(JSON.stringify(fields)));
      expect(isFreeEntry(entry)).toBe(false);
    }),
  );
});

test("an entry that an older daemon stored as a whole frame is sent as it is, and so is one that was moved", () => {
  fc.assert(
    fc.property(notification, fc.constantFrom(undefined, { traceparent: "00-1" }), (fields, meta) => {
      const frame = FRAMES.frameOf(FRAMES.entryOf(JSON.stringify(fields), AT, meta), AT);
      expect(FRAMES.frameOf(frame, { epoch: 99, seq: 99 })).toBe(frame);
      expect(FRAMES.frameOf(FRAMES.ofFrame(frame, AT), AT)).toBe(frame);
      expect(notificationOf(frame)).toEqual(JSON.parse(JSON.stringify(fields)));
    }),
  );
});
