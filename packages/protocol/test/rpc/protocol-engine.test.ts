import { describe, expect, expectTypeOf, test, vi } from "vitest";
import {
  ConnectionError,
  FACTORY_PROTOCOL_VERSION,
  type LoadSessionResult,
  METHODS,
  ProtocolEngine,
  ProtocolError,
  SessionError,
  SessionNotFoundError,
  TimeoutError,
} from "../../src/index.js";
import { caught, EngineDesk } from "./engine-desk.js";
import { failure, LinkedTransport, notification, result } from "./linked-transport.js";

const desk = new EngineDesk();

describe("calls", () => {
  test("a request carries prefix, params, a fresh UUID, and no version before the peer has stated one", () => {
    void desk.engine.request(METHODS.interruptSession, { sessionId: "s-1" });
    expect(desk.link.frames[0]).toEqual({
      jsonrpc: "2.0",
      factoryApiVersion: "1.0.0",
      type: "request",
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      method: "daemon.interrupt_session",
      params: { sessionId: "s-1" },
    });
  });

  test("params and result have the types of the method table", () => {
    const load = () => desk.engine.request(METHODS.loadSession, { sessionId: "s", token: "t" });
    expectTypeOf(load).returns.resolves.toEqualTypeOf<LoadSessionResult>();
    // @ts-expect-error: `token` is missing.
    void (() => desk.engine.request(METHODS.loadSession, { sessionId: "s" }));
  });

  test("the peer's version is learned from the first frame that states it, and stamped from then on", () => {
    desk.link.deliver(notification("daemon.connection_status", {}));
    expect(desk.engine.peerProtocolVersion).toBeUndefined();
    desk.link.deliver({ ...notification("daemon.connection_status", {}), factoryProtocolVersion: "1.245.0" });
    desk.link.deliver({ ...notification("daemon.connection_status", {}), factoryProtocolVersion: "9.9.9" });
    void desk.ask();
    expect(desk.engine.peerProtocolVersion).toBe("1.245.0");
    expect(desk.link.frames[0]).toHaveProperty("factoryProtocolVersion", "1.245.0");
  });

  test("a version given to the engine is stamped whatever the peer states", () => {
    const own = new LinkedTransport();
    const stating = new ProtocolEngine(own, { prefix: "droid", protocolVersion: FACTORY_PROTOCOL_VERSION });
    own.deliver({ ...notification("x", {}), factoryProtocolVersion: "1.245.0" });
    void stating.requestNamed("list_tools", {}, { id: "t" });
    expect(own.frames[0]).toMatchObject({ method: "droid.list_tools", factoryProtocolVersion: "1.51.0" });
  });

  test("responses may come out of order, each reaches its own call", async () => {
    const first = desk.engine.requestNamed("a", {}, { id: "1" });
    const second = desk.engine.requestNamed("b", {}, { id: "2" });
    desk.link.deliver(result("2", "for b"));
    desk.link.deliver(result("1", "for a"));
    expect(await Promise.all([first, second])).toEqual(["for a", "for b"]);
  });

  test("onResult runs before the frame behind the response is read", async () => {
    const order: string[] = [];
    desk.engine.onNotification = ({ method }) => void order.push(method);
    const call = desk.ask({ onResult: () => order.push("result") });
    desk.link.deliver(result("c-1"));
    desk.link.deliver(notification("daemon.session_notification", {}));
    await call;
    expect(order).toEqual(["result", "session_notification"]);
  });

  test("an onResult that closes the engine, or that sees its own response again, does not change how the call ends", async () => {
    let times = 0;
    const call = desk.ask({
      onResult: () => {
        times++;
        desk.link.deliver(result("c-1", "again"));
        desk.engine.close();
      },
    });
    desk.link.deliver(result("c-1", "once"));
    expect(await call).toBe("once");
    expect(times).toBe(1);
    expect(desk.engine.counters.strayResponses).toBe(1);
  });

  test("what onResult throws rejects the call and harms nothing else", async () => {
    const call = desk.ask({
      onResult: () => {
        throw new ProtocolError("INVALID_RESULT", "not that");
      },
    });
    desk.link.deliver(result("c-1"));
    expect(await caught(call)).toMatchObject({ code: "INVALID_RESULT" });
    const next = desk.ask();
    desk.link.deliver(result("c-1"));
    expect(await next).toEqual({});
  });

  test("a call that is not answered in time rejects with the method and the time, and a late answer is counted", async () => {
    vi.useFakeTimers();
    const call = caught(desk.ask({ timeoutMs: 250 }));
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
    desk.link.deliver(result("c-1"));
    expect(desk.engine.counters.strayResponses).toBe(1);
  });

  test("a method waits as long as its table says; 0 and absurdly long time-outs start no timer", () => {
    vi.useFakeTimers();
    const spy = vi.spyOn(globalThis, "setTimeout");
    void caught(desk.engine.request(METHODS.compactSession, { sessionId: "s" }));
    expect(spy.mock.lastCall?.[1]).toBe(240_000);
    void desk.ask({ timeoutMs: 0 });
    void desk.ask({ timeoutMs: 2 ** 31, id: "c-2" });
    expect(spy).toHaveBeenCalledTimes(1);
  });

  test("nothing is left behind by a call that has settled: no timer, no listener", async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const remove = vi.spyOn(controller.signal, "removeEventListener");
    const call = desk.ask({ signal: controller.signal });
    desk.link.deliver(result("c-1"));
    await call;
    expect(vi.getTimerCount()).toBe(0);
    expect(remove).toHaveBeenCalledTimes(1);
  });

  test("an aborted signal rejects with its reason; one aborted before sends nothing", async () => {
    const controller = new AbortController();
    const call = caught(desk.ask({ signal: controller.signal }));
    controller.abort(new RangeError("enough"));
    expect(await call).toBeInstanceOf(RangeError);
    expect(await caught(desk.ask({ signal: controller.signal, id: "c-2" }))).toBeInstanceOf(RangeError);
    expect(await caught(desk.ask({ signal: AbortSignal.abort("stop it"), id: "c-3" }))).toMatchObject({
      code: "ABORTED",
      message: "stop it",
    });
    expect(desk.link.sent).toHaveLength(1);
  });

  test("abandon() rejects a call with the reason given, once, and counts its late answer", async () => {
    const pending = caught(desk.ask());
    const reason = new ConnectionError("CONNECTION_LOST", "enough");
    expect(desk.engine.abandon("c-1", reason)).toBe(true);
    expect(desk.engine.abandon("c-1", reason)).toBe(false);
    expect(await pending).toBe(reason);
    desk.link.deliver(result("c-1", {}));
    expect(desk.engine.counters).toMatchObject({ frames: 1, strayResponses: 1 });
  });

  test("wrong options and params that are no JSON reject before anything is sent", async () => {
    void desk.ask();
    expect(await caught(desk.ask())).toMatchObject({ code: "INVALID_OPTION", option: "id" });
    expect(await caught(desk.ask({ id: "x", timeoutMs: -1 }))).toMatchObject({ option: "timeoutMs" });
    expect(await caught(desk.ask({ id: "x", timeoutMs: Number.NaN }))).toMatchObject({ option: "timeoutMs" });
    expect(await caught(desk.engine.requestNamed("a", { big: 1n }))).toMatchObject({ code: "PROTOCOL_VIOLATION" });
    expect(desk.link.sent).toHaveLength(1);
  });
});

describe("errors of the peer", () => {
  const failing = async (code: number, message?: string, data?: unknown) => {
    const call = caught(desk.ask());
    desk.link.deliver(failure("c-1", code, message, data));
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
    const call = caught(desk.engine.request(METHODS.authenticate, { apiKey: "fk-secret", caller: "t" }, { id: "a" }));
    desk.link.deliver(failure("a", -32001, "Key fk-secret is unknown"));
    const error = await call;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "AUTH_REJECTED", retryable: false });
    expect(String(error)).toContain("[redacted]");
    expect(`${error} ${(error as Error).cause}`).not.toContain("fk-secret");
  });

  test("a response with both error and result counts as a failure", async () => {
    const call = caught(desk.ask());
    desk.link.deliver({ ...failure("c-1", -32603), result: {} });
    expect(await call).toMatchObject({ code: "REMOTE_ERROR" });
  });
});
