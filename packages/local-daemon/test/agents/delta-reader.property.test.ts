import { decodeFrame } from "@daemon-sdk/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DeltaReader } from "../../src/agents/drivers/delta-reader.js";

const HEAD =
  '{"jsonrpc":"2.0","factoryApiVersion":"1.0.0","type":"notification","method":"droid.session_notification",';
const DELTAS = ["assistant_text_delta", "thinking_text_delta"];
const around = (sessionId: string, notification: string, tail = "") =>
  `${HEAD}"params":{"sessionId":${JSON.stringify(sessionId)},"notification":${notification}}${tail}}`;

const value = fc.oneof(fc.string({ unit: "binary" }), fc.double(), fc.boolean(), fc.constant(null));
const nested = fc.oneof(
  fc.json(),
  value.map((one) => JSON.stringify(one)),
);
const type = fc.constantFrom("assistant_text_delta", "thinking_text_delta", "tool_call", "agent_turn_completed");
/** Objects as agents may write them, and as they should not: keys twice, keys that replace prototypes, white space, bad JSON. */
const notification = fc
  .tuple(
    type,
    fc.array(fc.tuple(fc.oneof(fc.string(), type, fc.constantFrom("__proto__", "type", "constructor")), nested)),
  )
  .chain(([name, fields]) => {
    const rest = fields.map(([key, json]) => `,${JSON.stringify(key)}:${json}`).join("");
    const usual = `{"type":"${name}"${rest}}`;
    return fc.constantFrom(
      usual,
      usual,
      usual,
      `{ "type": "${name}"${rest}}`,
      usual.slice(0, -1),
      `${usual}}`,
      `{"a":1}${usual}`,
    );
  });
const plain = fc
  .record({
    type: fc.constantFrom("assistant_text_delta", "thinking_text_delta"),
    messageId: value,
    textDelta: fc.string(),
  })
  .map((fields) => JSON.stringify(fields));
/** A key that is there twice: the last one counts. */
const twice = plain.map((json) => `${json.slice(0, -1)},"type":"agent_turn_completed"}`);
const frame = fc.oneof(
  { weight: 8, arbitrary: plain.map((json) => around("s-1", json)) },
  twice.map((json) => around("s-1", json)),
  { weight: 6, arbitrary: notification.map((json) => around("s-1", json)) },
  fc.tuple(fc.string(), notification).map(([id, json]) => around(id, json)),
  notification.map((json) => around("s-1", json, ',"_meta":{"traceparent":"00-1"}')),
  notification.map((json) => around("s-1", json, "}")),
);

test("whatever an agent writes, a frame is read as any frame is, and the JSON of its notification is the agent's", () => {
  let short = 0;
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 12 }), (frames) => {
      const reader = new DeltaReader();
      for (const text of frames) {
        const decoded = reader.decode(text);
        expect(decoded).toEqual(decodeFrame(text));
        const json = reader.jsonOf(text);
        if (json === undefined) continue;
        short += 1;
        const params = decoded.ok && "params" in decoded.envelope ? decoded.envelope.params : {};
        expect(JSON.parse(json)).toEqual(params.notification);
        expect(DELTAS).toContain(JSON.parse(json).type);
        expect(DELTAS.some((name) => json.startsWith(`{"type":"${name}",`))).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
  expect(short).toBeGreaterThan(50);
});

test("the second delta of an agent is read in the short way, also after it has changed its session", () => {
  const reader = new DeltaReader();
  const delta = (id: string, text: string) =>
    around(id, JSON.stringify({ type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta: text }));
  const jsonOf = (text: string) => {
    reader.decode(text);
    return reader.jsonOf(text);
  };
  expect(["a", "b", "c"].map((text) => jsonOf(delta("s-1", text)) !== undefined)).toEqual([false, true, true]);
  expect(["a", "b"].map((text) => jsonOf(delta("s-2", text)) !== undefined)).toEqual([false, true]);
});
