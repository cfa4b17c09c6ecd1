import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectFleet } from "@daemon-sdk/fleet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HAS_NATS, NatsServer, NO_NATS } from "../../packages/fleet/test/support/nats-server.js";
import { DAEMON_PROGRAM } from "../support/daemon-process.js";

const MACHINES = ["eu-1", "us-1"];

describe.skipIf(!HAS_NATS)(`a fleet of daemon processes${NO_NATS}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "fleet-e2e-"));
  let server: NatsServer;

  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(async () => {
    for (const machine of MACHINES) await run(machine, "stop", "--now");
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test("daemons started with --fleet are listed, have sessions placed on them, and are missing when one is stopped", async () => {
    for (const machine of MACHINES) {
      const region = machine.slice(0, 2);
      const started = await run(
        machine,
        "start",
        "--fleet",
        server.url,
        "--machine",
        machine,
        "--label",
        `region=${region}`,
      );
      expect(started).toMatchObject({ code: 0 });
    }
    await using fleet = await connectFleet({ servers: server.url });
    for await (const machines of fleet.machines()) {
      if (machines.filter(({ state }) => state === "online").length === MACHINES.length) break;
    }
    const shown = await run("", "fleet", "machines", "--servers", server.url, "--json");
    expect(linesOf(shown.stdout)).toMatchObject([
      { machineId: "eu-1", state: "online", labels: { region: "eu" } },
      { machineId: "us-1", state: "online", labels: { region: "us" } },
    ]);

    const session = await fleet.createSession({ needs: { labels: { region: "us" } }, cwd: directory });
    await session.send("say hello");
    const listed = await run("", "fleet", "sessions", "--servers", server.url, "--json");
    expect(listed.code).toBe(0);
    expect(linesOf(listed.stdout)).toMatchObject([{ sessionId: session.sessionId, machineId: "us-1" }]);

    await run("us-1", "stop", "--now");
    const partial = await run("", "fleet", "sessions", "--servers", server.url, "--json");
    expect(partial.code).toBe(1);
    expect(linesOf(partial.stdout)).toMatchObject([{ missing: { machineId: "us-1" } }]);
  });

  test("a daemon that runs already is not told to join", async () => {
    const late = await run("eu-1", "start", "--fleet", server.url, "--json");
    expect(late.code).toBe(1);
    expect(JSON.parse(late.stdout)).toMatchObject({ error: { code: "DAEMON_ALREADY_RUNNING" } });
  });

  async function run(machine: string, ...args: string[]): Promise<{ code: number; stdout: string }> {
    const env = { ...process.env, DAEMON_SDK_HOME: join(directory, machine) };
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [DAEMON_PROGRAM, ...args], { env });
      return { code: 0, stdout };
    } catch (error) {
      return error as { code: number; stdout: string };
    }
  }
});

function linesOf(text: string): unknown[] {
  return text
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}
