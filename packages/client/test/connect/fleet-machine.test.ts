import { ConnectionError, type SDKMachineConfig } from "@daemon-sdk/protocol";
import { FakeDaemon } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { connectDaemon as connectInPage } from "../../src/browser.js";
import { type FleetPackage, withFleets } from "../../src/connect/index.js";
import { connectDaemon, MachineType } from "../../src/index.js";
import { rejection } from "../support.js";

const MACHINE = { type: MachineType.Fleet, servers: "nats://nats.test:4222", machineId: "m-1" } as const;

/** A fleet of one machine, with the session `s-1`. */
function fakeFleet({ isOnline = true } = {}) {
  const daemon = new FakeDaemon();
  const calls: unknown[] = [];
  const fleet: FleetPackage = {
    async connectFleet(options) {
      calls.push(["connect", options]);
      return {
        async machineOf(sessionId) {
          if (sessionId === "s-1" && isOnline) return "m-1";
          throw new ConnectionError("MACHINE_GONE", "It is not online.");
        },
        async dial(machineId, signal) {
          calls.push(["dial", machineId]);
          return daemon.dial({ url: "", signal });
        },
        async close() {
          calls.push(["close"]);
        },
      };
    },
  };
  return { calls, connect: withFleets(connectDaemon, async () => fleet) };
}

test("a machine of a fleet is dialed over a fleet of the connection's own, which ends with it", async () => {
  const { calls, connect } = fakeFleet();
  const connection = await connect({ machine: { ...MACHINE, tenant: "acme", credentials: "the text" } });
  expect(await connection.run("hello")).toMatchObject({ success: true });
  await connection.close();
  await expect.poll(() => calls).toContainEqual(["close"]);
  expect(calls.slice(0, 2)).toEqual([
    ["connect", { servers: MACHINE.servers, tenant: "acme", credentials: "the text" }],
    ["dial", "m-1"],
  ]);
});

test("the machine of a session is asked for", async () => {
  const { calls, connect } = fakeFleet();
  const { machineId: _, ...rest } = MACHINE;
  await (await connect({ machine: { ...rest, sessionId: "s-1" } })).close();
  expect(calls[1]).toEqual(["dial", "m-1"]);
});

test("a fleet whose machine cannot be had is closed, and its error is the caller's", async () => {
  const { calls, connect } = fakeFleet({ isOnline: false });
  const { machineId: _, ...rest } = MACHINE;
  const error = await rejection(connect({ machine: { ...rest, sessionId: "s-1" } }));
  expect(error).toMatchObject({ code: "MACHINE_GONE" });
  expect(calls.slice(1)).toEqual([["close"]]);
});

test("without its package it is refused with what to install", async () => {
  const cause = new ConnectionError("LOCAL_DAEMON_UNAVAILABLE", "A machine of a fleet needs @daemon-sdk/fleet.");
  const connect = withFleets(connectDaemon, () => Promise.reject(cause));
  expect(await rejection(connect({ machine: MACHINE }))).toBe(cause);
});

test("a page is told which package reaches a fleet", async () => {
  const error = await rejection(connectInPage({ machine: MACHINE }));
  expect(error).toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringContaining("@daemon-sdk/fleet/browser"),
  });
});

test.each<[string, object]>([
  ["machine.servers", { servers: [] }],
  ["machine.servers", { servers: 4222 }],
  ["machine.tenant", { tenant: "" }],
  ["machine.credentials", { credentials: 1 }],
  ["machine.machineId", { machineId: undefined }],
  ["machine.machineId", { sessionId: "s-1" }],
])("a wrong %s is refused before anything is loaded", async (option, wrong) => {
  const { calls, connect } = fakeFleet();
  const error = await rejection(connect({ machine: { ...MACHINE, ...wrong } as SDKMachineConfig }));
  expect(error).toMatchObject({ code: "INVALID_OPTION", option });
  expect(calls).toEqual([]);
});
