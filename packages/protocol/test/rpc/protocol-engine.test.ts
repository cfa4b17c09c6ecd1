import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import {
  ConnectionError,
  DaemonError,
  FACTORY_PROTOCOL_VERSION,
  type LoadSessionResult,
  METHODS,
  NO_ANSWER,
  ProtocolEngine,
  ProtocolError,
  RpcFault,
  SessionError,
  SessionNotFoundError,
  TimeoutError,
} from "../../src/index.js";
import { failure, frame, LinkedTransport, notification, request, result } from "./linked-transport.js";

let link: LinkedTransport;
let engine: ProtocolEngine;
const logged: string[] = [];
const logger = {
  debug: () => {},
  info: () => {},
  warn: (_fields: object, message: string) => void logged.push(message),
  error: (_fields: object, message: string) => void logged.push(message),
};

beforeEach(() => {
  link = new LinkedTransport();
  engine = new ProtocolEngine(link, { prefix: "daemon", logger });
  logged.length = 0;
});
afterEach(() => void vi.useRealTimers());

const ask = (options = {}) => engine.request(METHODS.interruptSession, { sessionId: "s-1" }, { id: "c-1", ...options });
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("calls", () => {
  test("a request carries prefix, params, a fresh UUID, and no version before the peer has stated one", () => {
    void engine.request(METHODS.interruptSession, { sessionId: "s-1" });
    expect(link.frames[0]).toEqual({
      jsonrpc: "2.0",
      factoryApiVersion: "1.0.0",
      type: "request",
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      method: "daemon.interrupt_session",
      params: { sessionId: "s-1" },
    });
  });

  test("params and result have the types of the method table", () => {
    const load = () => engine.request(METHODS.loadSession, { sessionId: "s", token: "t" });
    expectTypeOf(load).returns.resolves.toEqualTypeOf<LoadSessionResult>();
    // @ts-expect-error: `token` is missing.
    void (() => engine.request(METHODS.loadSession, { sessionId: "s" }));
  });

  test("the peer's version is learned from the first frame that states it, and stamped from then on", () => {
    link.deliver(notification("daemon.connection_status", {}));
    expect(engine.peerProtocolVersion).toBeUndefined();
    link.deliver({ ...notification("daemon.connection_status", {}), factoryProtocolVersion: "1.245.0" });
    link.deliver({ ...notification("daemon.connection_status", {}), factoryProtocolVersion: "9.9.9" });
    void ask();
    expect(engine.peerProtocolVersion).toBe("1.245.0");
    expect(link.frames[0]).toHaveProperty("factoryProtocolVersion", "1.245.0");
  });

  test("a version given to the engine is stamped whatever the peer states", () => {
    const own = new LinkedTransport();
    const stating = new ProtocolEngine(own, { prefix: "droid", protocolVersion: FACTORY_PROTOCOL_VERSION });
    own.deliver({ ...notification("x", {}), factoryProtocolVersion: "1.245.0" });
    void stating.requestNamed("list_tools", {}, { id: "t" });
    expect(own.frames[0]).toMatchObject({ method: "droid.list_tools", factoryProtocolVersion: "1.51.0" });
  });

  test("responses may come out of order, each reaches its own call", async () => {
    const first = engine.requestNamed("a", {}, { id: "1" });
    const second = engine.requestNamed("b", {}, { id: "2" });
    link.deliver(result("2", "for b"));
    link.deliver(result("1", "for a"));
    expect(await Promise.all([first, second])).toEqual(["for a", "for b"]);
  });

  test("onResult runs before the frame behind the response is read", async () => {
    const order: string[] = [];
    engine.onNotification = ({ method }) => void order.push(method);
    const call = ask({ onResult: () => order.push("result") });
    link.deliver(result("c-1"));
    link.deliver(notification("daemon.session_notification", {}));
    await call;
    expect(order).toEqual(["result", "session_notification"]);
  });

  test("an onResult that closes the engine, or that sees its own response again, does not change how the call ends", async () => {
    let times = 0;
    const call = ask({
      onResult: () => {
        times++;
        link.deliver(result("c-1", "again"));
        engine.close();
      },
    });
    link.deliver(result("c-1", "once"));
    expect(await call).toBe("once");
    expect(times).toBe(1);
    expect(engine.counters.strayResponses).toBe(1);
  });

  test("what onResult throws rejects the call and harms nothing else", async () => {
    const call = ask({
      onResult: () => {
        throw new ProtocolError("INVALID_RESULT", "not that");
      },
    });
    link.deliver(result("c-1"));
    expect(await caught(call)).toMatchObject({ code: "INVALID_RESULT" });
    const next = ask();
    link.deliver(result("c-1"));
    expect(await next).toEqual({});
  });

  test("a call that is not answered in time rejects with the method and the time, and a late answer is counted", async () => {
    vi.useFakeTimers();
    const call = caught(ask({ timeoutMs: 250 }));
    await vi.advanceTimersByTimeAsync(249);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    const error = await call;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({
      code: "REQUEST_TIMEOUT",
      timeoutMs: 250,
      message: expect.stringContaining("daemon.interrupt_session"),
    });
    link.deliver(result("c-1"));
    expect(engine.counters.strayResponses).toBe(1);
  });

  test("a method waits as long as its table says; 0 and absurdly long time-outs start no timer", () => {
    vi.useFakeTimers();
    const spy = vi.spyOn(globalThis, "setTimeout");
    void caught(engine.request(METHODS.compactSession, { sessionId: "s" }));
    expect(spy.mock.lastCall?.[1]).toBe(240_000);
    void ask({ timeoutMs: 0 });
    void ask({ timeoutMs: 2 ** 31, id: "c-2" });
    expect(spy).toHaveBeenCalledTimes(1);
  });

  test("nothing is left behind by a call that has settled: no timer, no listener", async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const remove = vi.spyOn(controller.signal, "removeEventListener");
    const call = ask({ signal: controller.signal });
    link.deliver(result("c-1"));
    await call;
    expect(vi.getTimerCount()).toBe(0);
    expect(remove).toHaveBeenCalledTimes(1);
  });

  test("an aborted signal rejects with its reason; one aborted before sends nothing", async () => {
    const controller = new AbortController();
    const call = caught(ask({ signal: controller.signal }));
    controller.abort(new RangeError("enough"));
    expect(await call).toBeInstanceOf(RangeError);
    expect(await caught(ask({ signal: controller.signal, id: "c-2" }))).toBeInstanceOf(RangeError);
    expect(await caught(ask({ signal: AbortSignal.abort("stop it"), id: "c-3" }))).toMatchObject({
      code: "ABORTED",
      message: "stop it",
    });
    expect(link.sent).toHaveLength(1);
  });

  test("abandon() rejects a call with the reason given, once, and counts its late answer", async () => {
    const pending = caught(ask());
    const reason = new ConnectionError("CONNECTION_LOST", "enough");
    expect(engine.abandon("c-1", reason)).toBe(true);
    expect(engine.abandon("c-1", reason)).toBe(false);
    expect(await pending).toBe(reason);
    link.deliver(result("c-1", {}));
    expect(engine.counters).toMatchObject({ frames: 1, strayResponses: 1 });
  });

  test("wrong options and params that are no JSON reject before anything is sent", async () => {
    void ask();
    expect(await caught(ask())).toMatchObject({ code: "INVALID_OPTION", option: "id" });
    expect(await caught(ask({ id: "x", timeoutMs: -1 }))).toMatchObject({ option: "timeoutMs" });
    expect(await caught(ask({ id: "x", timeoutMs: Number.NaN }))).toMatchObject({ option: "timeoutMs" });
    expect(await caught(engine.requestNamed("a", { big: 1n }))).toMatchObject({ code: "PROTOCOL_VIOLATION" });
    expect(link.sent).toHaveLength(1);
  });
});

describe("errors of the peer", () => {
  const failing = async (code: number, message?: string, data?: unknown) => {
    const call = caught(ask());
    link.deliver(failure("c-1", code, message, data));
    return await call;
  };

  test("-32004 is a SessionNotFoundError that names the session", async () => {
    const error = await failing(-32004, "Session not found");
    expect(error).toBeInstanceOf(SessionNotFoundError);
    expect(error).toMatchObject({ sessionId: "s-1", code: "SESSION_NOT_FOUND", cause: { rpcCode: -32004 } });
  });

  test("-32005 is a SessionError that may be tried again", async () => {
    const error = await failing(-32005, "gone");
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ code: "SESSION_DISCONNECTED", sessionId: "s-1", retryable: true });
  });

  test.each([
    [-32601, "METHOD_NOT_FOUND"],
    [-32602, "INVALID_PARAMS"],
    [-32603, "REMOTE_ERROR"],
    [-31999, "REMOTE_ERROR"],
  ])("%i is a ProtocolError %s with the peer's words and data", async (rpcCode, code) => {
    const error = await failing(rpcCode, "as I said", { why: 1 });
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ code, rpcCode, data: { why: 1 }, message: expect.stringContaining("as I said") });
  });

  test("a version mismatch names both versions", async () => {
    const data = {
      protocolVersionMismatch: { localFactoryProtocolVersion: "1.220.0", peerFactoryProtocolVersion: "1.51.0" },
    };
    const error = await failing(-32601, "Method not found", data);
    expect(error).toMatchObject({ code: "VERSION_MISMATCH", message: expect.stringMatching(/1\.220\.0.*1\.51\.0/) });
  });

  test("a refused credential is AUTH_REJECTED, and never repeats the credential", async () => {
    const call = caught(engine.request(METHODS.authenticate, { apiKey: "fk-secret", caller: "t" }, { id: "a" }));
    link.deliver(failure("a", -32001, "Key fk-secret is unknown"));
    const error = await call;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "AUTH_REJECTED", retryable: false });
    expect(String(error)).toContain("[redacted]");
    expect(`${error} ${(error as Error).cause}`).not.toContain("fk-secret");
  });

  test("a response with both error and result counts as a failure", async () => {
    const call = caught(ask());
    link.deliver({ ...failure("c-1", -32603), result: {} });
    expect(await call).toMatchObject({ code: "REMOTE_ERROR" });
  });
});

describe("the end of the link", () => {
  test("a lost link rejects what waits, then tells its owner once, and later calls reject at once", async () => {
    const seen: unknown[] = [];
    engine.onClose = (error, event) => void seen.push(error.code, event.code);
    const call = caught(ask());
    link.end({ clean: false, code: 1006, reason: "cable cut", error: new Error("ECONNRESET") });
    const error = await call;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "CONNECTION_LOST", message: expect.stringMatching(/1006.*cable cut/) });
    expect(seen).toEqual(["CONNECTION_LOST", 1006]);
    expect(await caught(ask())).toBe(error);
  });

  test("close() rejects what waits with CONNECTION_CLOSED and closes the transport", async () => {
    const seen: unknown[] = [];
    engine.onClose = (error) => void seen.push(error.code);
    const call = caught(ask());
    engine.close();
    engine.close();
    expect(await call).toMatchObject({ code: "CONNECTION_CLOSED", retryable: false });
    expect(seen).toEqual(["CONNECTION_CLOSED"]);
    expect(engine.respond("p", {})).toBe(false);
  });

  test("close(reason) rejects what waits with that reason", async () => {
    const call = caught(ask());
    const reason = new DaemonError("SLOW_CONSUMER", "too slow");
    engine.close(reason);
    expect(await call).toBe(reason);
    expect(await caught(ask())).toMatchObject({ code: "CONNECTION_CLOSED", cause: reason });
  });

  test("nothing is delivered after close()", () => {
    const polite = new LinkedTransport();
    polite.close = () => {};
    const closing = new ProtocolEngine(polite, { prefix: "daemon" });
    closing.onNotification = () => expect.unreachable();
    closing.onRequest = () => expect.unreachable();
    closing.close();
    polite.deliver(notification("daemon.x", {}));
    polite.deliver(request("p", "daemon.ask_user"));
  });

  test("a transport that throws on send fails the call and not the program", async () => {
    link.send = () => {
      throw new TypeError("broken");
    };
    expect(await caught(ask())).toMatchObject({ code: "CONNECTION_LOST" });
  });
});

describe("requests of the peer", () => {
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

  test("the handler's result is the answer, with the request's id", async () => {
    engine.onRequest = async ({ method, params }) => ({ method, params });
    link.deliver(request("p-1", "daemon.ask_user", { sessionId: "s" }));
    await settled();
    expect(link.frames).toEqual([
      expect.objectContaining({
        type: "response",
        id: "p-1",
        result: { method: "ask_user", params: { sessionId: "s" } },
      }),
    ]);
  });

  test("without a handler the answer is -32601, and it is counted", async () => {
    link.deliver(request("p-1", "daemon.request_permission"));
    await settled();
    expect(link.frames[0]).toMatchObject({ id: "p-1", error: { code: -32601 } });
    expect(engine.counters.unknownMethods).toBe(1);
  });

  test("a handler that throws gives -32603 and says nothing of the cause; RpcFault chooses its own answer", async () => {
    engine.onRequest = ({ id }) => {
      if (id === "p-1") throw new Error("secret path /home/me");
      if (id === "p-2") return Promise.reject(new RpcFault(-32602, "sessionId is missing", { key: "sessionId" }));
      return { self: 1n };
    };
    for (const id of ["p-1", "p-2", "p-3"]) link.deliver(request(id, "daemon.ask_user"));
    await settled();
    const answer = (id: string) => link.frames.find((sent) => sent.id === id);
    expect(answer("p-1")).toMatchObject({ error: { code: -32603, message: "Failed to handle ask_user" } });
    expect(answer("p-2")).toMatchObject({
      error: { code: -32602, message: "sessionId is missing", data: { key: "sessionId" } },
    });
    expect(answer("p-3")).toMatchObject({ error: { code: -32603 } });
    expect(link.sent).toHaveLength(3);
    expect(link.sent.join()).not.toContain("/home/me");
  });

  test("NO_ANSWER leaves it open, respond() answers once, and a request asked again after that is dropped", async () => {
    const asked: string[] = [];
    engine.onRequest = ({ id }) => {
      asked.push(id);
      return NO_ANSWER;
    };
    link.deliver(request("p-1", "daemon.ask_user"));
    await settled();
    link.deliver(request("p-1", "daemon.ask_user"));
    await settled();
    expect(link.sent).toHaveLength(0);
    expect(engine.respond("p-1", { cancelled: true })).toBe(true);
    expect(engine.respond("p-1", { cancelled: false })).toBe(false);
    link.deliver(request("p-1", "daemon.ask_user"));
    await settled();
    expect(link.frames).toEqual([expect.objectContaining({ id: "p-1", result: { cancelled: true } })]);
    expect(asked).toEqual(["p-1", "p-1"]);
  });

  test("a request that comes again is told to onRepeatedRequest, and is no fault where it is an entry of a journal", async () => {
    const again: unknown[] = [];
    engine.onRequest = () => ({});
    engine.onRepeatedRequest = ({ id, meta }) => again.push([id, meta?.seq]);
    const ask = request("r-1", "daemon.ask_user", {});
    link.deliver(ask);
    await settled();
    link.deliver(ask);
    link.deliver({ ...ask, _meta: { epoch: 1, seq: 7 } });
    expect(again).toEqual([
      ["r-1", undefined],
      ["r-1", 7],
    ]);
    expect(engine.counters.badFrames).toBe(1);
  });

  test("respond() while the handler still runs wins, and the handler's answer is dropped", async () => {
    let finish: (value: unknown) => void = () => {};
    engine.onRequest = () => new Promise((resolve) => (finish = resolve));
    link.deliver(request("p-1", "daemon.ask_user"));
    link.deliver(request("p-1", "daemon.ask_user"));
    expect(engine.counters.badFrames).toBe(1);
    expect(engine.respond("p-1", "by hand")).toBe(true);
    finish("by the handler");
    await settled();
    expect(link.frames.map((sent) => sent.result)).toEqual(["by hand"]);
  });

  test("respond() answers a request this engine never saw, as load_session lists them", () => {
    expect(engine.respond("from-another-connection", { selectedOption: "cancel", sessionId: "s" })).toBe(true);
    expect(link.frames[0]).toMatchObject({ type: "response", id: "from-another-connection" });
  });
});

describe("what does not belong", () => {
  test("responses nobody waits for are counted and logged, never delivered", async () => {
    const call = ask();
    const strays: unknown[] = [];
    engine.onStrayResponse = ({ id }) => void strays.push(id);
    link.deliver(result("c-1", "first"));
    link.deliver(failure("c-1", -32603));
    link.deliver(result("unknown"));
    link.deliver(failure(null, -32700));
    expect(await call).toBe("first");
    expect(engine.counters.strayResponses).toBe(3);
    expect(strays).toEqual(["c-1", "unknown", null]);
    expect(logged).toHaveLength(3);
  });

  test("a bad frame that asks gets its answer, one that tells gets none, and the link lives", async () => {
    engine.onNotification = () => {};
    link.deliver({ type: "request", id: "p-1", method: "daemon.ask_user", params: {} });
    link.deliver("not json");
    link.deliver(request(7, "daemon.ask_user"));
    link.deliver({ type: "notification", method: "x" });
    expect(link.frames).toEqual([
      expect.objectContaining({ id: "p-1", error: expect.objectContaining({ code: -32700 }) }),
    ]);
    expect(engine.counters.badFrames).toBe(4);
    const call = ask();
    link.deliver(result("c-1"));
    expect(await call).toEqual({});
  });

  test("an owner that sets onBadFrame answers by itself", () => {
    const seen: unknown[] = [];
    engine.onBadFrame = ({ id, rpcCode }) => void seen.push([id, rpcCode]);
    link.deliver({ type: "request", id: "p-1" });
    expect(seen).toEqual([["p-1", -32700]]);
    expect(link.sent).toHaveLength(0);
  });

  test("a response that is no envelope fails its call at once instead of leaving it to the time-out", async () => {
    const call = caught(ask());
    link.deliver(frame({ type: "response", id: "c-1" }));
    expect(await call).toMatchObject({ code: "PROTOCOL_VIOLATION" });
  });

  test("a handler that throws stops neither later frames nor the link", () => {
    const seen: string[] = [];
    engine.onNotification = ({ method }) => {
      seen.push(method);
      throw new Error("mine");
    };
    link.deliver(notification("daemon.a", {}));
    link.deliver(notification("droid.b", {}));
    link.deliver(notification("daemon.relay.status_changed", {}));
    expect(seen).toEqual(["a", "b", "relay.status_changed"]);
    expect(logged).toHaveLength(3);
  });

  test("positions and trace context of a frame are handed on", () => {
    const metas: unknown[] = [];
    engine.onNotification = ({ meta }) => void metas.push(meta);
    link.deliver({
      ...notification("daemon.session_notification", {}),
      _meta: { epoch: 1, seq: 42, traceparent: "00-1" },
    });
    expect(metas).toEqual([{ epoch: 1, seq: 42, traceparent: "00-1" }]);
  });
});
