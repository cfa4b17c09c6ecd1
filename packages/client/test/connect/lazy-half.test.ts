import { FakeDaemon, rpcFault } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { type KeepConnection, keepConnection } from "../../src/api/keep-connection.js";
import { createConnectDaemon } from "../../src/connect/connect-daemon.js";
import { ConnectionError } from "../../src/index.js";
import { rejection } from "../support.js";

/** A page whose second half comes when, and if, `load` says so. */
function page(load: () => Promise<KeepConnection>) {
  const daemon = new FakeDaemon();
  const connect = createConnectDaemon({
    loadKeeper: load,
    openLocal: () => Promise.reject(new ConnectionError("LOCAL_DAEMON_UNAVAILABLE", "Not in a page.")),
  });
  return { daemon, connect: (options = {}) => connect({ transport: daemon.dial, token: "t", ...options }) };
}

/** A load that ends when the test says so. */
function slowLoad() {
  let arrive = () => {};
  const half = new Promise<KeepConnection>((resolve) => {
    arrive = () => resolve(keepConnection);
  });
  return { load: () => half, arrive };
}

const notLoaded = () => Promise.reject(new ConnectionError("CONNECTION_FAILED", "Could not be loaded."));

test("the second half is asked for before the dial, and once: nothing is loaded to come back", async () => {
  const steps: string[] = [];
  const { daemon, connect } = page(async () => {
    steps.push("load");
    return keepConnection;
  });
  const connection = await connect({
    transport: (request: Parameters<typeof daemon.dial>[0]) => {
      steps.push("dial");
      return daemon.dial(request);
    },
  });
  daemon.cut();
  for await (const { type } of connection.status()) if (steps.push(type) > 3 && type === "connected") break;
  expect(steps.filter((step) => step === "load" || step === "dial")).toEqual(["load", "dial", "dial"]);
  expect((await connection.run("hi")).text).toBe("You said: hi");
  await connection.close();
});

test("a second half that cannot be loaded rejects, and leaves no link behind", async () => {
  const { daemon, connect } = page(notLoaded);
  expect(await rejection(connect())).toMatchObject({ code: "CONNECTION_FAILED", retryable: true });
  expect(daemon.dials).toBe(1);
  expect(daemon.connections).toBe(0);
});

test("a dial that fails is told as itself, whatever becomes of the second half", async () => {
  const { daemon, connect } = page(notLoaded);
  daemon.answer("authenticate", () => {
    throw rpcFault(-32_001, "no");
  });
  expect(await rejection(connect())).toMatchObject({ code: "AUTH_REJECTED" });
});

test("an abort while the second half is on its way rejects with its reason, and leaves no link behind", async () => {
  const { load } = slowLoad();
  const { daemon, connect } = page(load);
  const controller = new AbortController();
  const error = rejection(connect({ signal: controller.signal, onStatus: fail, maxRetries: 5 }));
  await daemon.waitForRequest("authenticate");
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort(new RangeError("changed my mind"));
  expect(await error).toMatchObject({ message: "changed my mind" });
  expect(daemon.dials).toBe(1);
  expect(daemon.connections).toBe(0);
});

test("a link that breaks while the second half is on its way is made again", async () => {
  const { load, arrive } = slowLoad();
  const { daemon, connect } = page(load);
  const connecting = connect();
  await daemon.waitForRequest("authenticate");
  await new Promise((resolve) => setImmediate(resolve));
  daemon.cut();
  arrive();
  const connection = await connecting;
  expect((await connection.run("hi")).text).toBe("You said: hi");
  expect(daemon.dials).toBe(2);
  await connection.close();
});

function fail(): never {
  throw new TypeError("It was never connected");
}
