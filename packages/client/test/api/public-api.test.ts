import { FakeDaemon } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import * as browser from "../../src/browser.js";
import * as node from "../../src/index.js";
import * as local from "../../src/local.js";
import { rejection } from "../support.js";

test("the names of the original SDK are there, in both entries", () => {
  const names = [
    "connectDaemon",
    "ConcurrentStreamError",
    "ConnectionError",
    "DaemonClient",
    "DaemonConnection",
    "DaemonSession",
    "DEFAULT_DAEMON_PORT",
    "DEFAULT_RELAY_BASE_URL",
    "DroidMessageType",
    "FACTORY_PROTOCOL_VERSION",
    "MachineType",
    "MessageBridge",
    "ProcessExitError",
    "ProtocolEngine",
    "ProtocolError",
    "resolveWebSocketUrl",
    "SessionError",
    "SessionNotFoundError",
    "SharedTransportMultiplexer",
    "StreamStateTracker",
    "TimeoutError",
    "WebSocketTransport",
  ];
  expect(Object.keys(node)).toEqual(expect.arrayContaining(names));
  expect(Object.keys(browser)).toEqual(Object.keys(node));
  expect(Object.keys(local)).toEqual(
    expect.arrayContaining(["connectLocal", "ensureLocalDaemon", "resolveLocalAuthToken"]),
  );
});

test("a page cannot find the local daemon, and is told what to pass", async () => {
  const error = (await rejection(browser.connectDaemon())) as Error;
  expect(error).toMatchObject({ code: "LOCAL_DAEMON_UNAVAILABLE" });
  expect(error.message).toContain("`url`");
});

test("a page connects like a service", async () => {
  const daemon = new FakeDaemon();
  const connection = await browser.connectDaemon({ transport: daemon.dial, token: "jwt" });
  expect((await connection.run("hi")).text).toBe("You said: hi");
  expect(daemon.received[1]?.params.token).toBe("jwt");
});

test("every event type has its name in DroidMessageType", () => {
  const known = new Set<string>(Object.values(node.DroidMessageType));
  const yielded: node.DroidStreamEvent["type"][] = [
    "assistant",
    "result",
    "tool_call_delta",
    "ask_user_resolved",
    "llm_retry",
    "session_notice",
  ];
  expect(yielded.filter((type) => !known.has(type))).toEqual([]);
});
