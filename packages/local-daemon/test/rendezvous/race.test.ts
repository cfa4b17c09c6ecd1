import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { ConnectionError } from "@daemon-sdk/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectLocal, ensureLocalDaemon } from "../../src/index.js";
import { writeEndpoint } from "../../src/rendezvous/endpoint-file.js";
import { Contender, type Reached } from "./contender.js";
import { aloneIn, daemonHome, ended } from "./daemon-home.js";

const CONTENDERS = 8;

describe("many programs that want a daemon at once (D1)", () => {
  test("get exactly one, and all are connected to it; again after it was killed", { timeout: 60_000 }, async () => {
    await using place = daemonHome();
    const seen = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const reached = await race(place.state);
      expect(new Set(reached.map(({ instanceId }) => instanceId)).size).toBe(1);
      expect(new Set(reached.map(({ pid }) => pid)).size).toBe(1);
      expect(reached.filter(({ started }) => started)).toHaveLength(1);
      const { pid, instanceId } = reached[0] as Reached;
      seen.add(instanceId);
      await aloneIn(place.state, pid);
      await ended(pid, "SIGKILL");
    }
    expect(seen.size).toBe(3);
  });
});

describe("calls in one process", () => {
  test("share one start, and the daemon outlives them", async () => {
    await using place = daemonHome();
    const options = { stateDir: place.state };
    const endpoints = await Promise.all([
      ensureLocalDaemon(options),
      ensureLocalDaemon(options),
      connectLocal(options).then(({ transport, endpoint }) => {
        transport.terminate();
        return endpoint;
      }),
    ]);
    expect(new Set(endpoints.map(({ pid }) => pid)).size).toBe(1);
    expect(await ensureLocalDaemon(options)).toMatchObject({ kind: "ours", started: false, pid: endpoints[0]?.pid });
  });

  test("can give up alone: the others still get the daemon", async () => {
    await using place = daemonHome();
    const options = { stateDir: place.state };
    const reason = new ConnectionError("CONNECTION_FAILED", "changed my mind");
    const patient = ensureLocalDaemon(options);
    await expect(ensureLocalDaemon({ ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const hasty = new AbortController();
    const gaveUp = ensureLocalDaemon({ ...options, signal: hasty.signal });
    hasty.abort(reason);
    await expect(gaveUp).rejects.toBe(reason);
    expect(await patient).toMatchObject({ kind: "ours" });
  });
});

test("connectLocal with start: false takes a daemon that runs, and starts none", async () => {
  await using place = daemonHome();
  const options = { stateDir: place.state, start: false };
  const none: unknown = await connectLocal(options).catch((error: unknown) => error);
  expect(ConnectionError.is(none, "DAEMON_NOT_RUNNING")).toBe(true);
  expect(existsSync(place.state)).toBe(false);
  const { pid } = await ensureLocalDaemon({ stateDir: place.state });
  const link = await connectLocal(options);
  link.transport.terminate();
  expect(link.endpoint).toMatchObject({ kind: "ours", started: false, pid });
});

describe("a start", () => {
  test("is not misled by an endpoint that names a living process (D2)", async () => {
    await using place = daemonHome();
    const { pid: first = 0 } = await ensureLocalDaemon({ stateDir: place.state });
    await ended(first, "SIGKILL");
    // The pid was reused: by us, who are alive and are no daemon.
    const socket = join(place.state, "daemon.sock");
    const record = { socket, pid: process.pid, startTime: "", instanceId: "gone", version: "1" };
    await writeEndpoint(place.state, record);
    const endpoint = await ensureLocalDaemon({ stateDir: place.state });
    expect(endpoint).toMatchObject({ started: true });
    expect(endpoint.pid).not.toBe(process.pid);
  });

  test("that fails tells why, from the log", async () => {
    await using place = daemonHome();
    const port = await takenPort();
    await place.write("config.json", JSON.stringify({ port }));
    const error: unknown = await ensureLocalDaemon({ stateDir: place.state }).catch((reason: unknown) => reason);
    expect(ConnectionError.is(error, "DAEMON_START_FAILED")).toBe(true);
    expect(String(error)).toMatch(/exit code 1[\s\S]*could not listen on/);
  });

  test.each([
    [
      "a wrong configuration",
      "config.json",
      '{"port":"many"}',
      "INVALID_OPTION",
      /config\.json cannot be used:\n *line 1, column 2: port: expected a whole number/,
    ],
    ["a store that is none", "daemon.db", "x".repeat(5_000), "STORAGE_FAILED", /is not a database.*mv '.*daemon\.db'/],
  ])("that %s prevents has the daemon's own error, which is not retryable", async (_, file, content, code, text) => {
    await using place = daemonHome();
    await place.write(file, content);
    const error: unknown = await ensureLocalDaemon({ stateDir: place.state }).catch((reason: unknown) => reason);
    expect(ConnectionError.is(error)).toBe(true);
    expect(error).toMatchObject({ code, retryable: false });
    expect(String(error)).toMatch(text);
    expect(place.read(file)).toBe(content);
  });

  test("leaves a log that holds no token, and files that only we can read (S5)", async () => {
    await using place = daemonHome();
    await place.write("config.json", '{"logLevel":"debug"}');
    const { transport, credential } = await connectLocal({ stateDir: place.state });
    const token = place.read("token");
    transport.terminate();
    await place.stop();
    const log = place.read("daemon.log");
    expect(log).toContain("daemon started");
    expect(log).not.toContain(token);
    expect(log).not.toContain(credential.proof);
  });
});

/** A port of this machine that something listens on until the test ends. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function race(stateDir: string): Promise<Reached[]> {
  const contenders = await Promise.all(Array.from({ length: CONTENDERS }, () => Contender.load(stateDir)));
  try {
    return await Promise.all(contenders.map((contender) => contender.connect()));
  } finally {
    await Promise.all(contenders.map((contender) => contender.leave()));
  }
}
