import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectFleet, type Fleet, type FleetMachine } from "@daemon-sdk/fleet";
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
    for await (const machines of fleet.machines().changes()) {
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

  test("a daemon of which config.json names the fleet is in it again after a restart", async () => {
    const machine = "kept";
    mkdirSync(join(directory, machine), { mode: 0o700 });
    const configuration = { fleet: { servers: [server.url], machineId: machine, labels: { region: "eu" } } };
    writeFileSync(join(directory, machine, "config.json"), JSON.stringify(configuration), { mode: 0o600 });
    expect(await run(machine, "start")).toMatchObject({ code: 0 });
    await using fleet = await connectFleet({ servers: server.url });
    const first = await online(fleet, machine);
    expect(await run(machine, "restart")).toMatchObject({ code: 0 });
    const second = await online(fleet, machine, first.instance);
    expect(second.labels).toEqual({ region: "eu" });
    await run(machine, "stop", "--now");
  });

  test("a name that no machine may have is refused before the start", async () => {
    expect(await run("named", "start", "--fleet", server.url, "--machine", "a.b")).toMatchObject({ code: 2 });
  });

  test("a machine and a service that were enrolled by the commands find each other, until their credentials are revoked", async () => {
    const keys = join(directory, "keys");
    expect(await run("", "fleet", "init", keys, "--tenant", "acme")).toMatchObject({ code: 0 });
    expect(await run("", "fleet", "init", keys)).toMatchObject({ code: 2 });
    await using secured = await NatsServer.start(readFileSync(join(keys, "nats-server.conf"), "utf8"));
    const enrol = async (kind: string, name: string) => {
      const { stdout } = await run("", "fleet", "enrol", "--key", join(keys, "enrolment.json"), kind, name, "--json");
      const { user, credentials } = JSON.parse(stdout) as { user: string; credentials: string };
      const path = join(directory, `${name}.creds`);
      writeFileSync(path, credentials, { mode: 0o600 });
      return { user, credentials, path };
    };
    const [machine, bot, stranger] = [
      await enrol("--machine", "safe"),
      await enrol("--service", "bot"),
      await enrol("--service", "stranger"),
    ];
    mkdirSync(join(directory, "safe"), { mode: 0o700 });
    const membership = { servers: [secured.url], machineId: "safe", tenant: "acme", credentialsFile: machine.path };
    const apiKeys = [{ key: "a-key-of-enough-characters", name: "bots" }];
    const configuration = { apiKeys, fleet: { ...membership, services: { bot: "bots" } } };
    writeFileSync(join(directory, "safe", "config.json"), JSON.stringify(configuration), { mode: 0o600 });
    expect(await run("safe", "start")).toMatchObject({ code: 0 });

    await using fleet = await connectFleet({ servers: secured.url, tenant: "acme", credentials: bot.credentials });
    await online(fleet, "safe");
    const session = await fleet.createSession({ cwd: directory });
    const given = ["--servers", secured.url, "--tenant", "acme", "--json"];
    expect((await run("safe", "sessions", "--json")).stdout).toContain(session.sessionId);
    const inbox = await run("", "fleet", "inbox", ...given, "--creds", bot.path);
    expect(inbox).toMatchObject({ code: 0, stdout: "" });
    const refused = await run("", "fleet", "sessions", ...given, "--creds", stranger.path);
    expect(linesOf(refused.stdout)).toMatchObject([
      { missing: { machineId: "safe", error: expect.stringContaining("NOT_ALLOWED") } },
    ]);

    const revoked = await run("", "fleet", "revoke", keys, "--servers", secured.url, "--user", bot.user);
    expect(revoked).toMatchObject({ code: 0 });
    const late = await run("", "fleet", "machines", ...given, "--creds", bot.path);
    expect(JSON.parse(late.stdout)).toMatchObject({ error: { code: "AUTH_REJECTED" } });
    await run("safe", "stop", "--now");
  });

  test("a service that is to act for a key which is not there is refused at the start", async () => {
    mkdirSync(join(directory, "keyless"), { mode: 0o700 });
    const configuration = { fleet: { servers: [server.url], services: { bot: "nobody" } } };
    writeFileSync(join(directory, "keyless", "config.json"), JSON.stringify(configuration), { mode: 0o600 });
    const { code } = await run("keyless", "start");
    expect(code).not.toBe(0);
  });

  test("serve --http --fleet serves all machines to callers whose key has no policy", async () => {
    const home = join(directory, "gateway");
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const apiKeys = ["a-key-for-the-fleet", { key: "a-key-with-a-policy", autonomy: "low" }];
    writeFileSync(join(home, "config.json"), JSON.stringify({ apiKeys }), { mode: 0o600 });
    const args = [DAEMON_PROGRAM, "serve", "--http", "--fleet", server.url, "--json"];
    const gateway = spawn(process.execPath, args, { env: { ...process.env, DAEMON_SDK_HOME: home } });
    const ended = once(gateway, "exit");
    const [line] = (await once(gateway.stdout, "data")) as [Buffer];
    const { url } = JSON.parse(String(line)) as { url: string };
    const list = (key: string) => fetch(`${url}/machines`, { headers: { authorization: `Bearer ${key}` } });
    expect((await list("a-key-with-a-policy")).status).toBe(401);
    const { machines } = (await (await list("a-key-for-the-fleet")).json()) as { machines: FleetMachine[] };
    expect(machines.map(({ machineId }) => machineId)).toEqual(expect.arrayContaining(["eu-1", "us-1"]));
    gateway.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
  });

  /** The machine, once an instance other than `former` serves. */
  async function online(fleet: Fleet, machineId: string, former?: string): Promise<FleetMachine> {
    for await (const machines of fleet.machines().changes()) {
      const found = machines.find((machine) => machine.machineId === machineId);
      if (found?.state === "online" && found.instance !== former) return found;
    }
    throw new Error("the fleet was closed");
  }

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
