import { existsSync, readFileSync, statSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConnectionError, type LocalDaemonEndpoint } from "@daemon-sdk/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureDroidDaemon } from "../../src/rendezvous/droid-launch.js";
import { isOurListener } from "../../src/rendezvous/port-owner.js";
import { type TempHome, tempHome } from "./temp-home.js";

const PROGRAM = fileURLToPath(new URL("fake-droid.mjs", import.meta.url));

let home: TempHome;
let started: LocalDaemonEndpoint[] = [];

beforeEach(() => {
  home = tempHome();
  process.env.FAKE_DROID_STARTS = join(home.path, "starts");
});

afterEach(() => {
  for (const { pid } of started) if (pid !== undefined) process.kill(pid, "SIGKILL");
  started = [];
  delete process.env.FAKE_DROID_STARTS;
  home[Symbol.dispose]();
});

async function ensure(options: {
  port: number;
  program?: string;
  signal?: AbortSignal;
  start?: boolean;
}): Promise<LocalDaemonEndpoint> {
  const endpoint = await ensureDroidDaemon({ program: PROGRAM, stateDir: home.state, ...options });
  if (endpoint.started) started.push(endpoint);
  return endpoint;
}

const starts = () => readFileSync(join(home.path, "starts"), "utf8").trim().split("\n");

test("a plain daemon is started once, on the well-known port, and found afterwards", async () => {
  const port = await unusedPort();
  const endpoints = await Promise.all([ensure({ port }), ensure({ port }), ensure({ port })]);
  started = endpoints.slice(0, 1);
  expect(endpoints[0]).toMatchObject({ kind: "droid", url: `ws://127.0.0.1:${port}`, started: true, port });
  expect(starts()).toEqual([`daemon --host 127.0.0.1 --port ${port}`]);
  expect(await ensure({ port })).toMatchObject({ started: false, port });
  expect(statSync(join(home.state, "droid.port")).mode & 0o777).toBe(0o600);
});

test("one that is only to be looked for is not started", async () => {
  const error: unknown = await ensure({ port: await unusedPort(), start: false }).catch((e: unknown) => e);
  expect(ConnectionError.is(error, "DAEMON_NOT_RUNNING")).toBe(true);
  expect(existsSync(join(home.path, "starts"))).toBe(false);
});

test("a listener that speaks no WebSocket is not taken for a daemon; the start goes to another port", async () => {
  const squatter = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
  const { port } = squatter.address() as net.AddressInfo;
  const endpoint = await ensure({ port });
  expect(endpoint.port).not.toBe(port);
  expect(await ensure({ port })).toMatchObject({ started: false, port: endpoint.port });
  squatter.close();
});

test("a missing program fails after three attempts, and is named", async () => {
  const error: unknown = await ensure({ port: await unusedPort(), program: "no-such-droid" }).catch((e: unknown) => e);
  expect(ConnectionError.is(error, "DAEMON_START_FAILED")).toBe(true);
  expect(String(error)).toMatch(/"no-such-droid daemon" after 3 attempts.*ENOENT/);
});

test("a caller that gives up gets its own reason", async () => {
  const reason = new ConnectionError("CONNECTION_FAILED", "enough");
  const signal = AbortSignal.abort(reason);
  await expect(ensure({ port: await unusedPort(), signal })).rejects.toBe(reason);
});

test.runIf(process.platform === "linux")("the kernel tells whose listener a port has", async () => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  expect(await isOurListener(port)).toBe(true);
  server.close();
  expect(await isOurListener(port)).toBe(false);
});

async function unusedPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
