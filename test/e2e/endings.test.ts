import { readFileSync } from "node:fs";
import {
  ConnectionError,
  connectDaemon,
  type DaemonConnection,
  type DaemonSession,
  SessionError,
} from "@daemon-sdk/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCuttableLink } from "../support/cuttable-link.js";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.js";
import { watchLostTime } from "../support/lost-time.js";

/** The bound that docs/guarantees.md promises. */
const ENDS_WITHIN_MS = 1_000;

let daemon: DaemonProcess;
beforeAll(async () => {
  daemon = await startDaemonProcess();
});
afterAll(() => daemon.stop());

describe("a stream that is running ends within a second, with a typed reason", () => {
  test("when its socket is cut after the acknowledgement", async () => {
    const link = await openCuttableLink(daemon.socketPath);
    try {
      const connection = await connectThrough(link.port);
      const session = await connection.createSession({ cwd: daemon.workspace });
      const { quietMs, error } = await endOf(session, () => link.cut());
      expect(ConnectionError.is(error, "CONNECTION_LOST"), String(error)).toBe(true);
      console.log("QUIET", quietMs);
      expect(quietMs).toBeLessThan(ENDS_WITHIN_MS);
      expect(ConnectionError.is(await connection.closed, "CONNECTION_LOST")).toBe(true);
    } finally {
      await link.close();
    }
  });

  test("when the connection is closed by this side", async () => {
    const connection = await connectDaemon();
    const session = await connection.createSession({ cwd: daemon.workspace });
    const { quietMs, error } = await endOf(session, () => void connection.close());
    expect(ConnectionError.is(error, "CONNECTION_CLOSED"), String(error)).toBe(true);
    console.log("QUIET", quietMs);
    expect(quietMs).toBeLessThan(ENDS_WITHIN_MS);
  });

  test("when its agent is killed: the result says so, with the signal", async () => {
    await using connection = await connectDaemon();
    const before = new Set(childrenOf(daemon.pid));
    await using session = await connection.createSession({ cwd: daemon.workspace });
    const { quietMs, result } = await endOf(session, () => {
      for (const pid of childrenOf(daemon.pid)) if (!before.has(pid)) process.kill(pid, "SIGKILL");
    });
    expect(result).toMatchObject({ subtype: "error_during_execution", success: false, reason: "agent_exited" });
    expect(result?.error).toMatchObject({ code: "PROCESS_EXITED", signal: "SIGKILL" });
    console.log("QUIET", quietMs);
    expect(quietMs).toBeLessThan(ENDS_WITHIN_MS);
  });

  test("when another client closes the session, which interrupts it; the handle is closed then", async () => {
    await using connection = await connectDaemon();
    await using other = await connectDaemon();
    const session = await connection.createSession({ cwd: daemon.workspace });
    const same = await other.resumeSession(session.sessionId);
    const closed = new Promise((resolve) => session.onNotification(resolve, { type: "session_closed" }));
    const { quietMs, result } = await endOf(session, () => void same.close());
    expect(result).toMatchObject({ subtype: "interrupted", reason: "cancelled" });
    console.log("QUIET", quietMs);
    expect(quietMs).toBeLessThan(ENDS_WITHIN_MS);
    await closed;
    await expect(session.send("say too late")).rejects.toSatisfy((error) => SessionError.is(error, "SESSION_CLOSED"));
  });
});

test("a session goes on when its only client is gone: the next one finds the turn done", async () => {
  const first = await connectDaemon();
  const { sessionId } = await first.createSession({ cwd: daemon.workspace }).then(async (session) => {
    await session.send("count 3 every 50 ; then say finished alone");
    return session;
  });
  await first.close();
  await using second = await connectDaemon();
  await using session = await second.resumeSession(sessionId);
  for await (const event of session.stream("recall")) {
    if (event.type === "result") expect(event.text).toContain("finished alone");
  }
});

function connectThrough(port: number): Promise<DaemonConnection> {
  return connectDaemon({ url: `ws://127.0.0.1:${port}`, token: daemon.token, reconnect: false });
}

interface Ending {
  /** Milliseconds from the cause to the end, less those that other programs on this machine took. */
  readonly quietMs: number;
  readonly error?: unknown;
  readonly result?: Record<string, unknown> & { error?: unknown };
}

/** Streams a turn of minutes, runs `cause` at its third delta, and returns how the stream ended. */
async function endOf(session: DaemonSession, cause: () => void): Promise<Ending> {
  let deltas = 0;
  let causedAt = Number.NaN;
  let lostMs = (): number => Number.NaN;
  const quietMs = () => performance.now() - causedAt - lostMs();
  let result: Ending["result"];
  try {
    for await (const event of session.stream("count 10000 every 20", { includePartialMessages: true })) {
      if (event.type === "result") result = { ...event };
      if (event.type !== "assistant_text_delta" || ++deltas !== 3) continue;
      lostMs = watchLostTime(daemon.pid);
      causedAt = performance.now();
      cause();
    }
    return { quietMs: quietMs(), ...(result ? { result } : {}) };
  } catch (error) {
    return { quietMs: quietMs(), error };
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}
