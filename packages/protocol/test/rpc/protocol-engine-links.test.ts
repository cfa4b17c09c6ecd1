import { describe, expect, test } from "vitest";
import { ConnectionError, DaemonError, NO_ANSWER, ProtocolEngine, RpcFault } from "../../src/index.js";
import { caught, EngineDesk } from "./engine-desk.js";
import { failure, frame, LinkedTransport, notification, request, result } from "./linked-transport.js";

const desk = new EngineDesk();

describe("the end of the link", () => {
  test("a lost link rejects what waits, then tells its owner once, and later calls reject at once", async () => {
    const seen: unknown[] = [];
    desk.engine.onClose = (error, event) => void seen.push(error.code, event.code);
    const call = caught(desk.ask());
    desk.link.end({ clean: false, code: 1006, reason: "cable cut", error: new Error("ECONNRESET") });
    const error = await call;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "CONNECTION_LOST", message: expect.stringMatching(/1006.*cable cut/) });
    expect(seen).toEqual(["CONNECTION_LOST", 1006]);
    expect(await caught(desk.ask())).toBe(error);
  });

  test("close() rejects what waits with CONNECTION_CLOSED and closes the transport", async () => {
    const seen: unknown[] = [];
    desk.engine.onClose = (error) => void seen.push(error.code);
    const call = caught(desk.ask());
    desk.engine.close();
    desk.engine.close();
    expect(await call).toMatchObject({ code: "CONNECTION_CLOSED", retryable: false });
    expect(seen).toEqual(["CONNECTION_CLOSED"]);
    expect(desk.engine.respond("p", {})).toBe(false);
  });

  test("close(reason) rejects what waits with that reason", async () => {
    const call = caught(desk.ask());
    const reason = new DaemonError("SLOW_CONSUMER", "too slow");
    desk.engine.close(reason);
    expect(await call).toBe(reason);
    expect(await caught(desk.ask())).toMatchObject({ code: "CONNECTION_CLOSED", cause: reason });
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
    desk.link.send = () => {
      throw new TypeError("broken");
    };
    expect(await caught(desk.ask())).toMatchObject({ code: "CONNECTION_LOST" });
  });
});

describe("requests of the peer", () => {
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

  test("the handler's result is the answer, with the request's id", async () => {
    desk.engine.onRequest = async ({ method, params }) => ({ method, params });
    desk.link.deliver(request("p-1", "daemon.ask_user", { sessionId: "s" }));
    await settled();
    expect(desk.link.frames).toEqual([
      expect.objectContaining({
        type: "response",
        id: "p-1",
        result: { method: "ask_user", params: { sessionId: "s" } },
      }),
    ]);
  });

  test("without a handler the answer is -32601, and it is counted", async () => {
    desk.link.deliver(request("p-1", "daemon.request_permission"));
    await settled();
    expect(desk.link.frames[0]).toMatchObject({ id: "p-1", error: { code: -32601 } });
    expect(desk.engine.counters.unknownMethods).toBe(1);
  });

  test("a handler that throws gives -32603 and says nothing of the cause; RpcFault chooses its own answer", async () => {
    desk.engine.onRequest = ({ id }) => {
      if (id === "p-1") throw new Error("secret path /home/me");
      if (id === "p-2") return Promise.reject(new RpcFault(-32602, "sessionId is missing", { key: "sessionId" }));
      return { self: 1n };
    };
    for (const id of ["p-1", "p-2", "p-3"]) desk.link.deliver(request(id, "daemon.ask_user"));
    await settled();
    const answer = (id: string) => desk.link.frames.find((sent) => sent.id === id);
    expect(answer("p-1")).toMatchObject({ error: { code: -32603, message: "Failed to handle ask_user" } });
    expect(answer("p-2")).toMatchObject({
      error: { code: -32602, message: "sessionId is missing", data: { key: "sessionId" } },
    });
    expect(answer("p-3")).toMatchObject({ error: { code: -32603 } });
    expect(desk.link.sent).toHaveLength(3);
    expect(desk.link.sent.join()).not.toContain("/home/me");
  });

  test("NO_ANSWER leaves it open, respond() answers once, and a request asked again after that is dropped", async () => {
    const asked: string[] = [];
    desk.engine.onRequest = ({ id }) => {
      asked.push(id);
      return NO_ANSWER;
    };
    desk.link.deliver(request("p-1", "daemon.ask_user"));
    await settled();
    desk.link.deliver(request("p-1", "daemon.ask_user"));
    await settled();
    expect(desk.link.sent).toHaveLength(0);
    expect(desk.engine.respond("p-1", { cancelled: true })).toBe(true);
    expect(desk.engine.respond("p-1", { cancelled: false })).toBe(false);
    desk.link.deliver(request("p-1", "daemon.ask_user"));
    await settled();
    expect(desk.link.frames).toEqual([expect.objectContaining({ id: "p-1", result: { cancelled: true } })]);
    expect(asked).toEqual(["p-1", "p-1"]);
  });

  test("a request that comes again is told to onRepeatedRequest, and is no fault where it is an entry of a journal", async () => {
    const again: unknown[] = [];
    desk.engine.onRequest = () => ({});
    desk.engine.onRepeatedRequest = ({ id, meta }) => again.push([id, meta?.seq]);
    const ask = request("r-1", "daemon.ask_user", {});
    desk.link.deliver(ask);
    await settled();
    desk.link.deliver(ask);
    desk.link.deliver({ ...ask, _meta: { epoch: 1, seq: 7 } });
    expect(again).toEqual([
      ["r-1", undefined],
      ["r-1", 7],
    ]);
    expect(desk.engine.counters.badFrames).toBe(1);
  });

  test("respond() while the handler still runs wins, and the handler's answer is dropped", async () => {
    let finish: (value: unknown) => void = () => {};
    desk.engine.onRequest = () => new Promise((resolve) => (finish = resolve));
    desk.link.deliver(request("p-1", "daemon.ask_user"));
    desk.link.deliver(request("p-1", "daemon.ask_user"));
    expect(desk.engine.counters.badFrames).toBe(1);
    expect(desk.engine.respond("p-1", "by hand")).toBe(true);
    finish("by the handler");
    await settled();
    expect(desk.link.frames.map((sent) => sent.result)).toEqual(["by hand"]);
  });

  test("respond() answers a request this engine never saw, as load_session lists them", () => {
    expect(desk.engine.respond("from-another-connection", { selectedOption: "cancel", sessionId: "s" })).toBe(true);
    expect(desk.link.frames[0]).toMatchObject({ type: "response", id: "from-another-connection" });
  });
});

describe("what does not belong", () => {
  test("responses nobody waits for are counted and logged, never delivered", async () => {
    const call = desk.ask();
    const strays: unknown[] = [];
    desk.engine.onStrayResponse = ({ id }) => void strays.push(id);
    desk.link.deliver(result("c-1", "first"));
    desk.link.deliver(failure("c-1", -32603));
    desk.link.deliver(result("unknown"));
    desk.link.deliver(failure(null, -32700));
    expect(await call).toBe("first");
    expect(desk.engine.counters.strayResponses).toBe(3);
    expect(strays).toEqual(["c-1", "unknown", null]);
    expect(desk.logged).toHaveLength(3);
  });

  test("a bad frame that asks gets its answer, one that tells gets none, and the link lives", async () => {
    desk.engine.onNotification = () => {};
    desk.link.deliver({ type: "request", id: "p-1", method: "daemon.ask_user", params: {} });
    desk.link.deliver("not json");
    desk.link.deliver(request(7, "daemon.ask_user"));
    desk.link.deliver({ type: "notification", method: "x" });
    expect(desk.link.frames).toEqual([
      expect.objectContaining({ id: "p-1", error: expect.objectContaining({ code: -32700 }) }),
    ]);
    expect(desk.engine.counters.badFrames).toBe(4);
    const call = desk.ask();
    desk.link.deliver(result("c-1"));
    expect(await call).toEqual({});
  });

  test("an owner that sets onBadFrame answers by itself", () => {
    const seen: unknown[] = [];
    desk.engine.onBadFrame = ({ id, rpcCode }) => void seen.push([id, rpcCode]);
    desk.link.deliver({ type: "request", id: "p-1" });
    expect(seen).toEqual([["p-1", -32700]]);
    expect(desk.link.sent).toHaveLength(0);
  });

  test("a response that is no envelope fails its call at once instead of leaving it to the time-out", async () => {
    const call = caught(desk.ask());
    desk.link.deliver(frame({ type: "response", id: "c-1" }));
    expect(await call).toMatchObject({ code: "PROTOCOL_VIOLATION" });
  });

  test("a handler that throws stops neither later frames nor the link", () => {
    const seen: string[] = [];
    desk.engine.onNotification = ({ method }) => {
      seen.push(method);
      throw new Error("mine");
    };
    desk.link.deliver(notification("daemon.a", {}));
    desk.link.deliver(notification("droid.b", {}));
    desk.link.deliver(notification("daemon.relay.status_changed", {}));
    expect(seen).toEqual(["a", "b", "relay.status_changed"]);
    expect(desk.logged).toHaveLength(3);
  });

  test("positions and trace context of a frame are handed on", () => {
    const metas: unknown[] = [];
    desk.engine.onNotification = ({ meta }) => void metas.push(meta);
    desk.link.deliver({
      ...notification("daemon.session_notification", {}),
      _meta: { epoch: 1, seq: 42, traceparent: "00-1" },
    });
    expect(metas).toEqual([{ epoch: 1, seq: 42, traceparent: "00-1" }]);
  });
});
