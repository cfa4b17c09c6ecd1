import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFrame, encodeFailure, encodeNotification, encodeRequest, encodeResult } from "../../src/index.js";

/** JSON values as a peer may send them: shallow enough, and without the keys the codec refuses. */
const json = fc.jsonValue({ maxDepth: 5 }).filter((value) => !JSON.stringify(value).includes("proto"));
const params = fc.dictionary(
  fc.string().filter((key) => !key.includes("proto")),
  json,
);
const version = fc.option(fc.string(), { nil: undefined });
const count = fc.nat();

/** JSON has no negative zero. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

test("what is encoded is decoded to the same envelope, whatever ids, names and params hold", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), params, version, (id, method, body, stated) => {
      const base = {
        jsonrpc: "2.0",
        factoryApiVersion: "1.0.0",
        ...(stated === undefined ? {} : { factoryProtocolVersion: stated }),
      };
      expect(decodeFrame(encodeRequest(method, id, body, stated))).toEqual({
        ok: true,
        envelope: { ...base, type: "request", id, method, params: plain(body) },
      });
      expect(decodeFrame(encodeNotification(method, body, stated))).toEqual({
        ok: true,
        envelope: { ...base, type: "notification", method, params: plain(body) },
      });
    }),
  );
});

test("results, errors and positions come back as they went", () => {
  fc.assert(
    fc.property(
      fc.string(),
      json,
      fc.record({ code: fc.integer(), message: fc.string(), data: json }),
      count,
      count,
      (id, result, error, epoch, seq) => {
        expect(decodeFrame(encodeResult(id, result))).toMatchObject({
          ok: true,
          envelope: { id, result: plain(result) },
        });
        expect(decodeFrame(encodeFailure(id, error))).toMatchObject({
          ok: true,
          envelope: { id, error: plain(error) },
        });
        expect(decodeFrame(encodeNotification("m", {}, undefined, { epoch, seq }))).toMatchObject({
          ok: true,
          envelope: { _meta: { epoch, seq } },
        });
      },
    ),
  );
});

test("no text at all makes decodeFrame throw, and a refusal has a code of the wire", () => {
  const broken = fc.tuple(fc.nat({ max: 200 }), fc.string({ maxLength: 3 })).map(([at, noise]) => {
    const frame = encodeRequest("daemon.x", "r-1", { sessionId: "s", list: [1, { a: "b" }] });
    return frame.slice(0, at) + noise + frame.slice(at + noise.length);
  });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json(), broken), (text) => {
      const decoded = decodeFrame(text);
      if (!decoded.ok) expect([-32700, -32600]).toContain(decoded.rpcCode);
    }),
    { numRuns: 2000 },
  );
});
