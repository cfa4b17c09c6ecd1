import { describe, expect, test } from "vitest";
import {
  decodeFrame,
  encodeFailure,
  encodeNotification,
  encodeRequest,
  encodeResult,
  LIMITS,
  ProtocolError,
} from "../../src/index.js";

const BASE = { jsonrpc: "2.0", factoryApiVersion: "1.0.0" };
const text = (fields: object) => JSON.stringify({ ...BASE, ...fields });
const request = (fields: object = {}) =>
  text({ type: "request", id: "r-1", method: "daemon.x", params: {}, ...fields });

/** A request whose params nest so that the whole frame is `depth` containers deep. */
const nested = (depth: number, open = "[", close = "]") =>
  request({ params: "@" }).replace('"@"', `{"a":${open.repeat(depth - 2)}${close.repeat(depth - 2)}}`);

describe("what a bad frame is answered with (docs/wire/session.md#errors)", () => {
  test.each([
    ["malformed JSON", "{", "syntax", null],
    ["an empty message", "", "syntax", null],
    ["a NUL", "\0", "syntax", null],
    ["a NUL within a string", '{"id":"a\0"}', "syntax", null],
    ["a byte order mark", `\ufeff${request()}`, "syntax", null],
    ["a string", '"hello"', "syntax", null],
    ["null", "null", "syntax", null],
    ["an array", "[]", "envelope", null],
    ["a batch", `[${request()}]`, "envelope", null],
    ["{}", "{}", "envelope", null],
    ["plain JSON-RPC", '{"jsonrpc":"2.0","id":"p","method":"m","params":{}}', "envelope", "p"],
    ["another factoryApiVersion", request({ factoryApiVersion: "2.0.0" }), "envelope", "r-1"],
    ["a numeric version", request({ factoryProtocolVersion: 1 }), "envelope", "r-1"],
    ["no method", request({ method: undefined }), "envelope", "r-1"],
    ["params that are an array", request({ params: [] }), "envelope", "r-1"],
    ["params that are null", request({ params: null }), "envelope", "r-1"],
    ["an unknown type", request({ type: "event" }), "envelope", "r-1"],
    ["_meta that is a string", request({ _meta: "x" }), "envelope", "r-1"],
    ["a forged position that is no number", request({ _meta: { seq: "1" } }), "envelope", "r-1"],
    ["a negative position", request({ _meta: { seq: -1 } }), "envelope", "r-1"],
    ["a position that is no integer", request({ _meta: { epoch: 1.5 } }), "envelope", "r-1"],
    ["a response with neither result nor error", text({ type: "response", id: "r-1" }), "envelope", "r-1"],
    ["a success with a null id", text({ type: "response", id: null, result: {} }), "envelope", null],
  ])("%s", (_what, frame, fault, id) => {
    expect(decodeFrame(frame)).toMatchObject({ ok: false, rpcCode: -32700, fault, id });
  });

  test.each([7, null, true, {}, ["r-1"]])("an id that is %j is -32600, because only the id is wrong", (id) => {
    expect(decodeFrame(request({ id }))).toMatchObject({ ok: false, rpcCode: -32600, fault: "envelope", id: null });
  });

  test("the failure tells the frame's type, so that nobody answers a bad response", () => {
    expect(decodeFrame(text({ type: "response", id: "r-1" }))).toMatchObject({ type: "response" });
    expect(decodeFrame("{}")).toMatchObject({ type: undefined });
  });

  test("the refusal repeats nothing of the frame", () => {
    const decoded = decodeFrame(request({ id: 7, params: { token: "fk-secret" } }));
    expect(JSON.stringify(decoded)).not.toContain("fk-secret");
  });
});

describe("what is let through", () => {
  test("unknown keys, codes and any order of keys", () => {
    const frame = `{"result":{},"newKey":1,"id":"r","type":"response","jsonrpc":"2.0","factoryApiVersion":"1.0.0"}`;
    expect(decodeFrame(frame)).toMatchObject({ ok: true, envelope: { id: "r", newKey: 1 } });
    expect(decodeFrame(text({ type: "response", id: null, error: { code: -1, message: "" } }))).toMatchObject({
      ok: true,
    });
  });

  test("a request without params is read as one with empty params", () => {
    expect(decodeFrame(request({ params: undefined }))).toMatchObject({ ok: true, envelope: { params: {} } });
  });
});

describe("nesting", () => {
  test.each([
    ["arrays", "[", "]"],
    ["objects", '{"a":', "}"],
  ])("64 levels of %s pass, 65 do not", (_name, open, close) => {
    const inner = (depth: number) => nested(depth, open, close).replace(":}", ":1}");
    expect(decodeFrame(inner(LIMITS.jsonDepth))).toMatchObject({ ok: true });
    expect(decodeFrame(inner(LIMITS.jsonDepth + 1))).toMatchObject({
      ok: false,
      rpcCode: -32700,
      id: "r-1",
      fault: "unsafe",
    });
  });

  test("64 levels pass beside any number of brackets that are closed again", () => {
    const wide = new Array(300).fill({});
    const deep = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels));
    expect(decodeFrame(request({ params: { wide, deep: deep(LIMITS.jsonDepth - 2) } }))).toMatchObject({ ok: true });
    expect(decodeFrame(request({ params: { wide, deep: deep(LIMITS.jsonDepth - 1) } }))).toMatchObject({ ok: false });
  });

  test("brackets within strings, escaped quotes included, do not count; many of them side by side neither", () => {
    const tricky = `\\" [[[ \\\\ {{{ ${"[{".repeat(500)} "`;
    expect(decodeFrame(request({ params: { tricky, list: new Array(300).fill({}) } }))).toMatchObject({ ok: true });
    expect(
      decodeFrame(request({ params: { tricky: "\\", after: JSON.parse("[".repeat(70) + "]".repeat(70)) } })),
    ).toMatchObject({ ok: false });
  });

  test.each([
    ["[", 1e6],
    ['{"a":', 1e6],
  ])("a million levels of %s are refused within 300 ms", (open, depth) => {
    const frame = request({ params: "@" }).replace('"@"', open.repeat(depth));
    // The processor's time, in microseconds: other programs do not lengthen it.
    const before = process.cpuUsage();
    expect(decodeFrame(frame)).toMatchObject({ ok: false, fault: "unsafe", id: null });
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(300_000);
  });
});

describe("keys that pollute", () => {
  const BAD = [
    '{"__proto__":{"polluted":1}}',
    '{"\\u005f_proto__":{"polluted":1}}',
    '{"\\u005F\\u005f\\u0070\\u0072\\u006f\\u0074\\u006F\\u005f_":1}',
    '{"deep":[{"a":{"__proto__":null}}]}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"c\\u006fnstructor":{"pr\\u006ftotype":{"polluted":1}}}',
  ];

  test.each(BAD)("%s is refused, with the request's id", (params) => {
    const frame = request({ params: "@" }).replace('"@"', () => params);
    expect(decodeFrame(frame)).toMatchObject({ ok: false, rpcCode: -32600, id: "r-1", fault: "unsafe" });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test("the same words as values, and constructor, toString or hasOwnProperty as keys, are plain text", () => {
    const params = { a: "__proto__", constructor: "x", toString: 1, hasOwnProperty: 2, prototype: {}, proto: "\u0070" };
    const decoded = decodeFrame(request({ id: "constructor", method: "daemon.__proto__", params }));
    expect(decoded).toMatchObject({ ok: true, envelope: { id: "constructor", params } });
  });

  test("a guard is not fooled by what an object inherits", () => {
    expect(decodeFrame(`{"__proto__":${request()}}`)).toMatchObject({ ok: false });
  });
});

describe("encoding", () => {
  test("a version is stated only when one is given", () => {
    expect(JSON.parse(encodeRequest("daemon.x", "1", {}))).not.toHaveProperty("factoryProtocolVersion");
    expect(JSON.parse(encodeFailure(null, { code: -32700, message: "m" }, "1.2"))).toEqual({
      ...BASE,
      factoryProtocolVersion: "1.2",
      type: "response",
      id: null,
      error: { code: -32700, message: "m" },
    });
  });

  test("a result that is undefined goes out as {}, null stays null", () => {
    expect(JSON.parse(encodeResult("1", undefined))).toMatchObject({ result: {} });
    expect(JSON.parse(encodeResult("1", null))).toMatchObject({ result: null });
  });

  test("what JSON cannot hold is a ProtocolError that names the frame and not its content", () => {
    const cycle: Record<string, unknown> = { token: "fk-secret" };
    cycle.self = cycle;
    const attempts = [
      () => encodeRequest("daemon.x", "1", cycle),
      () => encodeResult("1", 1n),
      () => encodeResult("1", () => {}),
      () => encodeNotification("daemon.x", cycle),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(ProtocolError);
    expect(attempts[0]).toThrow(/daemon\.x/);
    expect(attempts[0]).not.toThrow(/fk-secret/);
  });
});
