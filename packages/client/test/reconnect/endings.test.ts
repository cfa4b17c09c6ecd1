import { CloseCode, ConnectionError, type ConnectLocalOptions, type Dial } from "@daemon-sdk/protocol";
import { FakeClock, FakeDaemon, NO_REPLY } from "@daemon-sdk/testing";
import { describe, expect, test } from "vitest";
import { createConnectDaemon } from "../../src/connect/connect-daemon.js";
import { localPlatform } from "../../src/connect/local-platform.js";
import { type ConnectionStatus, connectDaemon } from "../../src/index.js";
import { collect, hang, rejection } from "../support.js";
import { cameBack, type Linked, linked } from "./support.js";

/** Brings a connection into a state of its life; what is tested is that `close()` ends it there (F13). */
const STATES: Readonly<Record<string, (link: Linked) => Promise<void>>> = {
  ready: async () => {},
  "ready, on a half-open link": async ({ daemon }) => daemon.faults.stall(),
  "waiting for its first attempt": async ({ daemon, clock }) => {
    daemon.stop();
    await clock.settle();
  },
  "waiting for a later attempt": async ({ daemon, clock }) => {
    daemon.stop();
    await clock.advance(700);
  },
  authenticating: async ({ daemon, clock }) => {
    daemon.answer("authenticate", () => NO_REPLY);
    daemon.cut();
    await clock.advance(20);
  },
  attaching: async ({ daemon, clock }) => {
    daemon.answer("resume_session", () => NO_REPLY);
    daemon.cut();
    await clock.advance(20);
  },
  closing: async ({ connection }) => void connection.close(),
  "closed by itself": async ({ daemon, clock }) => {
    daemon.stop();
    await clock.advance(600_000);
  },
};

describe.each(Object.entries(STATES))("close() while %s", (_name, bring) => {
  test("resolves, ends every call and stream, leaves no timer, and nothing is told after it (F13)", async () => {
    const link = await linked();
    link.daemon.answer("list_opened_sessions", () => NO_REPLY);
    link.daemon.onPrompt(hang());
    const session = await link.connection.createSession();
    const streaming = rejection(collect(session.stream("hi")));
    await link.clock.settle();
    await bring(link);
    const calling = rejection(link.connection.listOpenedSessions());
    await link.clock.settle();
    const closing = Promise.all([link.connection.close(), link.connection.close()]);
    // Only a peer that does not answer makes it take time, and then no more than this.
    await link.clock.advance(2_000);
    await closing;
    expect(await streaming).toMatchObject({ code: expect.stringMatching(/^CONNECTION_(CLOSED|LOST)$/) });
    expect(await calling).toMatchObject({ code: expect.stringMatching(/^CONNECTION_(CLOSED|LOST)$/) });
    expect(link.statuses.at(-1)?.type).toBe("disconnected");
    const told = link.statuses.length;
    const { dials } = link.daemon;
    expect(link.clock.pendingTimers).toBe(0);
    link.daemon.start();
    link.daemon.faults.heal();
    await link.clock.advance(600_000);
    expect([link.statuses.length, link.daemon.dials]).toEqual([told, dials]);
    expect(link.daemon.connections).toBe(0);
  });
});

/** A dial whose links say that so many bytes wait, and never end but by `terminate`. */
async function neverEnding(waiting: { bytes: number }) {
  const clock = new FakeClock();
  const daemon = new FakeDaemon({ clock });
  let terminated = 0;
  const dial: Dial = async (request) => {
    const link = await daemon.dial(request);
    return Object.defineProperties(link, {
      bufferedBytes: { get: () => waiting.bytes },
      close: { value: () => {} },
      terminate: { value: () => (terminated += 1) },
    });
  };
  const connection = await connectDaemon({ transport: dial, apiKey: "fk", clock });
  return { clock, connection, terminated: () => terminated };
}

test("close() on a half-open link waits a moment only, and cuts it then (F13)", async () => {
  const link = await neverEnding({ bytes: 0 });
  const closing = link.connection.close();
  await link.clock.advance(49);
  expect(link.terminated()).toBe(0);
  await link.clock.advance(1);
  await closing;
  expect(link.terminated()).toBe(1);
  expect(link.clock.pendingTimers).toBe(0);
});

test("close() waits no longer for a peer that still reads, which gets what was sent before (F13)", async () => {
  const link = await neverEnding({ bytes: 1 });
  const closing = link.connection.close();
  await link.clock.advance(50);
  await closing;
  await link.clock.advance(1_999);
  expect(link.terminated()).toBe(0);
  await link.clock.advance(1);
  expect(link.terminated()).toBe(1);
  expect(link.clock.pendingTimers).toBe(0);
});

test("close() from within a status callback ends the search it hears of (F13)", async () => {
  let close = async (): Promise<void> => {};
  const onStatus = ({ type }: ConnectionStatus) => {
    if (type === "reconnecting") void close();
  };
  const link = await linked({}, { onStatus });
  close = () => link.connection.close();
  link.daemon.cut();
  expect(await link.connection.closed).toBeUndefined();
  await link.clock.settle();
  expect(link.daemon.dials).toBe(1);
  expect(link.clock.pendingTimers).toBe(0);
});

test("close() while dialing a peer that ignores the signal resolves; its late link is thrown away (F13)", async () => {
  const clock = new FakeClock();
  const daemon = new FakeDaemon({ clock });
  let letGo: () => void = () => {};
  const dial: Dial = async (request) => {
    if (daemon.dials > 0)
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
    return daemon.dial({ ...request, signal: new AbortController().signal });
  };
  const connection = await connectDaemon({ transport: dial, apiKey: "fk", clock });
  daemon.cut();
  await clock.advance(20);
  await connection.close();
  letGo();
  await clock.settle();
  expect(daemon.dials).toBe(2);
  expect(daemon.connections).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

test("a thousand reconnects leave nothing behind on the way (M2)", async () => {
  const link = await linked();
  const session = await link.connection.createSession();
  for (let round = 1; round <= 1_000; round += 1) {
    link.daemon.cut();
    await cameBack(link, round);
  }
  expect(link.clock.pendingTimers).toBe(1);
  expect(link.daemon.connections).toBe(1);
  expect(await session.listSkills()).toEqual([]);
  await link.connection.close();
});

describe("a local daemon", () => {
  async function local() {
    const clock = new FakeClock();
    const daemon = new FakeDaemon({ clock });
    const asked: ConnectLocalOptions[] = [];
    let instance = 0;
    const connect = createConnectDaemon(
      localPlatform({
        loadLocalDaemon: async () => ({
          connectLocal: async (options = {}) => {
            asked.push(options);
            const transport = await daemon.dial({ url: "", signal: options.signal ?? new AbortController().signal });
            instance += 1;
            const endpoint = {
              kind: "ours",
              url: "ws+unix:///s:/",
              started: false,
              instanceId: `i-${instance}`,
            } as const;
            return { transport, endpoint, credential: { proof: `proof-${instance}` } };
          },
        }),
        environmentApiKey: () => undefined,
      }),
    );
    const statuses: ConnectionStatus[] = [];
    const connection = await connect({ clock, onStatus: (status) => void statuses.push(status) });
    return { clock, daemon, asked, connection, statuses };
  }

  test("that was killed is started again by the door, and the endpoint and the proof are read anew", async () => {
    const link = await local();
    link.daemon.cut();
    await cameBack(link);
    expect(link.asked.map(({ start }) => start)).toEqual([undefined, undefined]);
    expect(link.connection.identity.endpoint?.instanceId).toBe("i-2");
    const proofs = link.daemon.received
      .filter(({ method }) => method === "authenticate")
      .map(({ params }) => params.proof);
    expect(proofs).toEqual(["proof-1", "proof-2"]);
  });

  test("that was stopped is only looked for, until the budget ends", async () => {
    const link = await local();
    link.daemon.closeConnections(CloseCode.goingAway, "The daemon stops");
    await link.clock.settle();
    link.daemon.stop();
    await link.clock.advance(300_000);
    expect(link.asked.length).toBeGreaterThan(10);
    expect(link.asked.slice(1).every(({ start }) => start === false)).toBe(true);
    const error = await link.connection.closed;
    expect(ConnectionError.is(error, "CONNECTION_LOST")).toBe(true);
    expect(error?.message).toContain("300000 ms");
  });
});
