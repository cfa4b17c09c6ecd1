import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import * as protocol from "../src/index.js";
import {
  abortReason,
  ConcurrentStreamError,
  ConnectionError,
  DAEMON_ERROR_CODES,
  DaemonError,
  InvalidOptionError,
  ProcessExitError,
  ProtocolError,
  RpcFault,
  SessionError,
  SessionMovedError,
  SessionNotFoundError,
  TimeoutError,
} from "../src/index.js";

const SAMPLES = [
  new DaemonError("INTERNAL", "x"),
  new ConnectionError("CONNECTION_LOST", "x"),
  new ProtocolError("REMOTE_ERROR", "x", { rpcCode: -1, data: 2 }),
  new SessionError("SESSION_CLOSED", "x", { sessionId: "s" }),
  new SessionNotFoundError("s"),
  new ConcurrentStreamError("s"),
  new TimeoutError("Request daemon.x", 5),
  new ProcessExitError("x", { exitCode: 1, signal: null }),
  new InvalidOptionError("machine.type", "one of local, computer"),
  new RpcFault(-32602, "x"),
  new SessionMovedError("s", "eu-1"),
] as const;

describe("every error class", () => {
  test("carries a stable code, whether trying again can help, and its own name", () => {
    for (const error of SAMPLES) {
      expect(error).toBeInstanceOf(DaemonError);
      expect(error).toBeInstanceOf(Error);
      expect(error.retryable).toBe(DAEMON_ERROR_CODES[error.code].retryable);
      expect(error.name).toBe(error.constructor.name);
      expect(error.stack).toContain(error.name);
    }
  });

  test("is branded: each exported class has a brand of its own name", () => {
    const classes = Object.entries(protocol).filter(
      ([, value]) => typeof value === "function" && value.prototype instanceof Error,
    );
    expect(classes.length).toBe(SAMPLES.length);
    for (const [name, value] of classes) expect(value).toHaveProperty("brand", name);
  });

  test("instanceof follows the hierarchy, and only it", () => {
    const notFound = new SessionNotFoundError("s");
    expect(notFound).toBeInstanceOf(SessionError);
    expect(notFound).not.toBeInstanceOf(ConnectionError);
    expect(new SessionError("SESSION_CLOSED", "x")).not.toBeInstanceOf(SessionNotFoundError);
    for (const foreign of [new Error("x"), new TypeError("x"), null, undefined, "x", {}]) {
      expect(foreign instanceof DaemonError).toBe(false);
      expect(DaemonError.is(foreign)).toBe(false);
    }
  });

  test("is(value, code) tells the code, too", () => {
    const lost: unknown = new ConnectionError("CONNECTION_LOST", "x");
    expect(DaemonError.is(lost, "CONNECTION_LOST")).toBe(true);
    expect(ConnectionError.is(lost, "AUTH_REJECTED")).toBe(false);
    expect(SessionError.is(lost)).toBe(false);
  });

  test("the brand does not show: not in JSON, not in a loop over the keys", () => {
    const error = new SessionError("SESSION_CLOSED", "x", { sessionId: "s" });
    expect(new Set(Object.keys(error))).toEqual(new Set(["code", "name", "retryable", "sessionId"]));
    expect(JSON.stringify(error)).not.toContain("daemon-sdk");
  });
});

test("errors of another copy of the package are recognised, in both directions", async () => {
  vi.resetModules();
  const copy: typeof protocol = await import("../src/index.js");
  expect(copy.ConnectionError).not.toBe(ConnectionError);
  const theirs: unknown = new copy.SessionNotFoundError("s");
  expect(theirs).toBeInstanceOf(SessionNotFoundError);
  expect(theirs).toBeInstanceOf(SessionError);
  expect(theirs).toBeInstanceOf(DaemonError);
  expect(theirs).not.toBeInstanceOf(ConnectionError);
  expect(SessionError.is(theirs, "SESSION_NOT_FOUND")).toBe(true);
  expect(new ConnectionError("AUTH_REJECTED", "x")).toBeInstanceOf(copy.ConnectionError);
});

test("a class of a caller's own that extends ours is one of ours, and ours is not one of it", () => {
  class RateLimited extends ProtocolError {
    static override readonly brand: string = "RateLimited";
  }
  const limited = new RateLimited("REMOTE_ERROR", "slow down");
  expect(limited).toBeInstanceOf(ProtocolError);
  expect(new ProtocolError("REMOTE_ERROR", "x")).not.toBeInstanceOf(RateLimited);
  expect(limited.name).toBe("RateLimited");
});

test("a wrong option is described by its kind, never by its content", () => {
  expect(new InvalidOptionError("apiKey", "a string", { key: "fk-secret" }).message).toBe(
    "Option `apiKey` must be a string, got an object.",
  );
  expect(new InvalidOptionError("apiKey", "a key", "fk-secret").message).not.toContain("fk-secret");
  expect(new InvalidOptionError("daemonPort", "1 to 65535", 70_000).message).toContain("got 70000");
});

test("an abort reason is thrown as it is when it is an Error, else it is wrapped", () => {
  const reason = new RangeError("mine");
  expect(abortReason(AbortSignal.abort(reason))).toBe(reason);
  expect(abortReason(AbortSignal.abort("stop"))).toMatchObject({ code: "ABORTED", message: "stop" });
  expect(abortReason(AbortSignal.abort(7))).toMatchObject({ code: "ABORTED", message: "Operation aborted." });
});

describe("docs/errors.md", () => {
  const rows = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim())
        .slice(1, -1),
    );

  test("lists every code once, with its class, its retryable, a meaning and what to do", () => {
    const codes = rows.map(([code]) => code?.replaceAll("`", ""));
    expect(new Set(codes)).toEqual(new Set(Object.keys(DAEMON_ERROR_CODES)));
    expect(codes).toHaveLength(new Set(codes).size);
    for (const [code, name, meaning, retryable, remedy] of rows) {
      const key = code?.replaceAll("`", "") as keyof typeof DAEMON_ERROR_CODES;
      expect([key, retryable]).toEqual([key, DAEMON_ERROR_CODES[key].retryable ? "yes" : "no"]);
      for (const one of (name ?? "").split(",")) expect(protocol).toHaveProperty(one.replaceAll("`", "").trim());
      expect(meaning?.length, key).toBeGreaterThan(10);
      expect(remedy?.length, key).toBeGreaterThan(10);
    }
  });
});
