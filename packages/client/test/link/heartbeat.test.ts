import { rpcFault } from "@daemon-sdk/testing";
import { describe, expect, test } from "vitest";
import { cameBack, linked } from "../reconnect/support.js";

const pings = (daemon: { received: Iterable<{ method: string }> }) =>
  [...daemon.received].filter(({ method }) => method === "ping").length;

describe("a silent link", () => {
  test("is asked after the interval, and made anew when nothing comes within the time-out (F3)", async () => {
    const link = await linked({}, { heartbeat: { intervalMs: 200, timeoutMs: 200 } });
    link.daemon.connection(1).stall();
    await link.clock.advance(500);
    expect(link.statuses.length).toBeGreaterThan(1);
    await cameBack(link);
    expect(link.statuses.map(({ type }) => type)).toEqual(["connected", "reconnecting", "connected"]);
    expect(link.daemon.dials).toBe(2);
    await link.connection.close();
    expect(link.clock.pendingTimers).toBe(0);
  });

  test("that answers is kept, for as long as it does (F4)", async () => {
    const link = await linked({}, { heartbeat: { intervalMs: 200, timeoutMs: 200 } });
    await link.clock.advance(60_000);
    expect(link.daemon.dials).toBe(1);
    expect(pings(link.daemon)).toBeGreaterThan(100);
    link.daemon.faults.delay(80);
    await link.clock.advance(60_000);
    expect(link.daemon.dials).toBe(1);
  });

  test("is not asked while anything comes", async () => {
    const link = await linked({}, { heartbeat: { intervalMs: 200, timeoutMs: 200 } });
    for (let round = 0; round < 100; round += 1) {
      link.daemon.notify("connection_status", {});
      await link.clock.advance(100);
    }
    expect(pings(link.daemon)).toBe(0);
  });

  test("is left alone with heartbeat: false", async () => {
    const link = await linked({}, { heartbeat: false });
    expect(link.clock.pendingTimers).toBe(0);
    link.daemon.faults.stall();
    await link.clock.advance(3_600_000);
    expect(link.daemon.dials).toBe(1);
  });

  test("is noticed on a plain daemon, too: it is asked for its open sessions, and any answer is a sign of life (F3)", async () => {
    const link = await linked({ plain: true }, { heartbeat: { intervalMs: 200, timeoutMs: 200 } });
    await link.clock.advance(10_000);
    expect(link.daemon.dials).toBe(1);
    const asked = [...link.daemon.received].map(({ method }) => method).filter((method) => method !== "authenticate");
    expect([...new Set(asked)]).toEqual(["list_opened_sessions"]);
    link.daemon.answer("list_opened_sessions", () => {
      throw rpcFault(-32_601, "Method not found");
    });
    await link.clock.advance(10_000);
    expect(link.daemon.dials).toBe(1);
    link.daemon.connection(1).stall();
    await link.clock.advance(500);
    await cameBack(link);
    expect(link.daemon.dials).toBe(2);
  });

  test("is watched by one timer, whatever happens on it", async () => {
    const link = await linked();
    expect(link.clock.pendingTimers).toBe(1);
    await Promise.all([1, 2, 3].map(() => link.connection.createSession()));
    await link.clock.advance(100_000);
    expect(link.clock.pendingTimers).toBe(1);
  });
});

describe("a clock that jumps (F7)", () => {
  test.each([
    ["ten minutes of sleep", 600_000],
    ["an hour forth", 3_600_000],
    ["an hour back", -3_600_000],
  ])("%s: the link is verified before the next call goes out, and kept when it lives", async (_name, jumpMs) => {
    const link = await linked();
    link.clock.jump(jumpMs);
    const listing = link.connection.listOpenedSessions();
    await link.clock.settle();
    expect(await listing).toEqual([]);
    expect(link.daemon.received.slice(1).map(({ method }) => method)).toEqual(["ping", "list_opened_sessions"]);
    expect(link.daemon.dials).toBe(1);
  });

  test("calls made on a link that died meanwhile wait for the verdict, and go out on the next one", async () => {
    const link = await linked();
    const session = await link.connection.createSession();
    link.daemon.faults.stall();
    link.clock.jump(600_000);
    // Neither would be repeated, had it been sent.
    const calls = Promise.all([session.interrupt(), session.fork()]);
    await link.clock.settle();
    link.daemon.faults.heal();
    link.daemon.connection(1).stall();
    await cameBack(link);
    await calls;
    const last = link.daemon.received.slice(-2).map((request) => [request.link, request.method]);
    expect(last).toEqual([
      [2, "interrupt_session"],
      [2, "fork_session"],
    ]);
  });

  test("is noticed without any call, too", async () => {
    const link = await linked();
    link.clock.jump(600_000);
    await link.clock.advanceToNext();
    expect(pings(link.daemon)).toBe(1);
    await link.clock.advance(60_000);
    expect(link.daemon.dials).toBe(1);
  });

  test("does not shorten what is left to come back", async () => {
    const link = await linked();
    link.daemon.stop();
    await link.clock.advance(1_000);
    link.clock.jump(3_600_000);
    await link.clock.advance(1_000);
    link.daemon.start();
    await cameBack(link);
    expect(link.statuses.at(-1)).toEqual({ type: "connected" });
  });
});
