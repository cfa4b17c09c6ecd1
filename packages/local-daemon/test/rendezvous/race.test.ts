import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ConnectionError } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { isSameProcess, startTimeOf } from "../../src/agents/process-identity.js";
import { connectLocal, ensureLocalDaemon } from "../../src/index.js";
import { writeEndpoint } from "../../src/rendezvous/endpoint-file.js";
import { Contender, type Reached } from "./contender.js";
import { type TempHome, tempHome } from "./temp-home.js";

const CONTENDERS = 8;

describe("many programs that want a daemon at once (D1)", () => {
  test("get exactly one, and all are connected to it; again after it was killed", { timeout: 60_000 }, async () => {
    using home = tempHome();
    const seen = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const reached = await race(home.state);
      expect(new Set(reached.map(({ instanceId }) => instanceId)).size).toBe(1);
      expect(new Set(reached.map(({ pid }) => pid)).size).toBe(1);
      expect(reached.filter(({ started }) => started)).toHaveLength(1);
      const [first] = reached;
      seen.add(first?.instanceId ?? "");
      await ended(first?.pid, "SIGKILL");
    }
    expect(seen.size).toBe(3);
  });
});

describe("calls in one process", () => {
  test("share one start, and the daemon outlives them", async () => {
    await using place = daemonHome();
    const options = { stateDir: place.home.state };
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
    const options = { stateDir: place.home.state };
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

describe("a start", () => {
  test("is not misled by an endpoint that names a living process (D2)", async () => {
    await using place = daemonHome();
    const { pid: first = 0 } = await ensureLocalDaemon({ stateDir: place.home.state });
    await ended(first, "SIGKILL");
    // The pid was reused: by us, who are alive and are no daemon.
    const socket = join(place.home.state, "daemon.sock");
    const record = { socket, pid: process.pid, startTime: "", instanceId: "gone", version: "1" };
    await writeEndpoint(place.home.state, record);
    const endpoint = await ensureLocalDaemon({ stateDir: place.home.state });
    expect(endpoint).toMatchObject({ started: true });
    expect(endpoint.pid).not.toBe(process.pid);
  });

  test("that fails tells why, from the log", async () => {
    await using place = daemonHome();
    await place.write("config.json", '{"port":"many"}');
    const error: unknown = await ensureLocalDaemon({ stateDir: place.home.state }).catch((reason: unknown) => reason);
    expect(ConnectionError.is(error, "DAEMON_START_FAILED")).toBe(true);
    expect(String(error)).toMatch(/exit code 1[\s\S]*INVALID_OPTION[\s\S]*config\.json: port/);
  });

  test("leaves a log that holds no token, and files that only we can read (S5)", async () => {
    await using place = daemonHome();
    await place.write("config.json", '{"logLevel":"debug"}');
    const { transport, credential } = await connectLocal({ stateDir: place.home.state });
    const token = readFileSync(join(place.home.state, "token"), "utf8");
    transport.terminate();
    await place.stop();
    const log = readFileSync(join(place.home.state, "daemon.log"), "utf8");
    expect(log).toContain("daemon started");
    expect(log).not.toContain(token);
    expect(log).not.toContain(credential.proof);
  });
});

async function race(stateDir: string): Promise<Reached[]> {
  const contenders = await Promise.all(Array.from({ length: CONTENDERS }, () => Contender.load(stateDir)));
  try {
    return await Promise.all(contenders.map((contender) => contender.connect()));
  } finally {
    await Promise.all(contenders.map((contender) => contender.leave()));
  }
}

/** A state directory whose daemon, if one runs, is stopped at the end. */
function daemonHome() {
  const home: TempHome = tempHome();
  const stop = async () => {
    const text = await readEndpointText(home.state);
    if (text !== undefined) await ended(JSON.parse(text).pid, "SIGTERM");
  };
  return {
    home,
    stop,
    async write(name: string, content: string) {
      const { mkdir, writeFile } = await import("node:fs/promises");
      await mkdir(home.state, { mode: 0o700, recursive: true });
      await writeFile(join(home.state, name), content, { mode: 0o600 });
    },
    async [Symbol.asyncDispose]() {
      await stop();
      home[Symbol.dispose]();
    },
  };
}

async function readEndpointText(stateDir: string): Promise<string | undefined> {
  try {
    return readFileSync(join(stateDir, "endpoint.json"), "utf8");
  } catch {
    return undefined;
  }
}

/** Signals a process and waits until it is gone; a process that is not our child tells nobody. */
async function ended(pid: number | undefined, signal: NodeJS.Signals): Promise<void> {
  const startTime = pid === undefined || pid === process.pid ? undefined : await startTimeOf(pid);
  if (pid === undefined || startTime === undefined) return;
  process.kill(pid, signal);
  while (await isSameProcess(pid, startTime)) await delay(10);
}
