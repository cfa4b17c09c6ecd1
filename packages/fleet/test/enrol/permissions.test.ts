import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JetStreamApiError, jetstream } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/nats-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createFleetKeys, type EnrolOptions, enrol, type FleetKeys, revoke } from "../../src/enrol.js";
import type { Fleet } from "../../src/index.js";
import { Subjects } from "../../src/names/index.js";
import { openNats } from "../../src/nats/index.js";
import { FleetBench } from "../support/fleet-bench.js";
import { HAS_NATS, NatsServer, NO_NATS } from "../support/nats-server.js";

const subjects = new Subjects("acme");

describe.skipIf(!HAS_NATS)(`credentials of a fleet${NO_NATS}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "fleet-enrol-"));
  let keys: FleetKeys;
  let server: NatsServer;
  let bench: FleetBench;

  beforeAll(async () => {
    keys = await createFleetKeys("acme", directory);
    server = await NatsServer.start(keys.serverConfig);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(() => {
    bench = new FleetBench(server.url, "acme");
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  async function credentialsOf(options: EnrolOptions): Promise<string> {
    return (await enrol(keys.enrolmentKey, options)).credentials;
  }

  async function machine(machineId: string) {
    return bench.machine(machineId, { credentials: await credentialsOf({ machineId }) });
  }

  async function service(client: string): Promise<Fleet> {
    return bench.service({ client, credentials: await credentialsOf({ client }) });
  }

  /** A program of its own making, with the credentials of that machine or service. */
  async function thief(options: EnrolOptions): Promise<NatsConnection> {
    const { machineId = "", client = "" } = options;
    const inbox = machineId === "" ? subjects.clientInbox(client) : subjects.machineInbox(machineId);
    return openNats({ servers: server.url, credentials: await credentialsOf(options) }, { name: "thief", inbox });
  }

  test("machines and services that are enrolled do all that a fleet does", async () => {
    const { daemon } = await machine("m-1");
    const fleet = await service("bot");
    const session = await fleet.createSession({ needs: { agent: "echo" }, cwd: bench.directory });
    for await (const event of session.stream("hello")) {
      if (event.type === "result") expect(event.success).toBe(true);
    }
    const local = await bench.localClient(daemon);
    const { sessionId } = await local.createSession({ cwd: bench.directory });
    await fleet.resumeSession(sessionId);
    expect((await fleet.listSessions()).items).toHaveLength(2);
    await expect(
      bench.join(await bench.daemon("twin"), "m-1", { credentials: await credentialsOf({ machineId: "m-1" }) }),
    ).rejects.toMatchObject({ code: "NAME_TAKEN" });
  });

  test("the name of a service is the one of its credentials, and is what a machine serves by", async () => {
    const names: string[] = [];
    await bench.machine("m-1", {
      credentials: await credentialsOf({ machineId: "m-1" }),
      principal: (client) => {
        names.push(client);
        return { keyId: client };
      },
    });
    const fleet = await service("bot");
    await fleet.connection("m-1");
    expect(names).toEqual(["bot"]);
    const credentials = await credentialsOf({ client: "bot" });
    await (await bench.service({ credentials })).connection("m-1");
    expect(names).toEqual(["bot", "bot"]);
    await expect(bench.service({ client: "boss", credentials })).rejects.toMatchObject({ code: "AUTH_REJECTED" });
  });

  test("a machine of another name than the one of its credentials is refused", async () => {
    const credentials = await credentialsOf({ machineId: "m-1" });
    const joined = bench.join(await bench.daemon("m-2"), "m-2", { credentials });
    await expect(joined).rejects.toMatchObject({ code: "AUTH_REJECTED" });
  });

  describe.each([
    { who: "a machine", as: { machineId: "m-1" } },
    { who: "a service", as: { client: "bot" } },
  ])("$who", ({ as }) => {
    let nats: NatsConnection;

    beforeAll(async () => {
      nats = await thief(as);
    });
    afterAll(() => nats.close());

    test.each([
      ["everything", ">"],
      ["all of the fleet", "f.acme.>"],
      ["dials of another machine", "f.acme.m.m-2.*.dial.*"],
      ["links of another machine", "f.acme.m.m-2.>"],
      ["links of another service", "f.acme.c.boss.>"],
      ["answers to another service", "f.acme.r.c.boss.>"],
      ["answers to another machine", "f.acme.r.m.m-2.>"],
      ["answers to programs without a fleet", "_INBOX.>"],
      ["another tenant", "f.other.>"],
      ["changes of the registry", "$KV.>"],
      ["mail", "f.acme.mail.>"],
      ["reports of mail to another machine", "f.acme.post.m-2.report.*"],
      ["replicas", "f.acme.replica.>"],
      ["the server's own subjects", "$SYS.>"],
    ])("may not listen to %s", async (_, subject) => {
      expect(await violations(nats, () => nats.subscribe(subject, { callback: () => {} }))).toEqual(["subscription"]);
    });

    test.each([
      ["dial under another name", "f.acme.m.m-2.i.dial.boss"],
      ["answer a search as another", "f.acme.r.c.boss.x"],
      ["announce another machine", "$KV.f_acme_machines.m-2"],
      ["make another machine a member", "$KV.f_acme_members.m-2"],
      ["reach another tenant", "f.other.find"],
      ["write the registry of another tenant", "$KV.f_other_machines.m-1"],
      ["delete the registry", "$JS.API.STREAM.DELETE.KV_f_acme_machines"],
      ["purge the registry", "$JS.API.STREAM.PURGE.KV_f_acme_machines"],
      ["change the registry", "$JS.API.STREAM.UPDATE.KV_f_acme_machines"],
      ["delete entries of the registry", "$JS.API.STREAM.MSG.DELETE.KV_f_acme_machines"],
      ["make streams", "$JS.API.STREAM.CREATE.copy"],
      ["send mail as another machine", "f.acme.mail.m-2.m-3"],
      ["report mail as another machine", "f.acme.post.m-2.report.m-3"],
      ["state where the names of another machine are", "$KV.f_acme_names.m-2.6e"],
      ["write the replica of another machine", "f.acme.replica.m-2.s-1.log"],
      ["read the replica of another machine", "$JS.API.CONSUMER.CREATE.f_acme_replica=m-2.c.f.acme.replica.m-2.*.*"],
      ["remove the replica of another machine", "$JS.API.STREAM.PURGE.f_acme_replica=m-2"],
    ])("may not %s", async (_, subject) => {
      expect(await violations(nats, () => nats.publish(subject, "{}"))).toEqual(["publish"]);
    });
  });

  test.each([
    ["dial a machine", "f.acme.m.m-2.i.dial.m-1"],
    ["send on a link of a machine", "f.acme.m.m-2.i.l.token"],
    ["ask whether another machine lives", "f.acme.m.m-2.i.alive"],
    ["search for a session", "f.acme.find"],
    ["place sessions", "$KV.f_acme_sessions.s-1"],
    ["follow the registry", "$JS.API.CONSUMER.CREATE.KV_f_acme_machines"],
    ["send mail as another machine", "f.acme.mail.m-2.m-3"],
    ["report mail as another machine", "f.acme.post.m-2.report.m-3"],
    ["read the mail of another machine", "$JS.API.CONSUMER.CREATE.f_acme_mail=m-2"],
    ["remove the mail of another machine", "$JS.API.STREAM.PURGE.f_acme_mail=m-2"],
    ["announce names of another machine", "$KV.f_acme_names.m-2.626f62"],
  ])("a machine may not %s", async (_, subject) => {
    const nats = await thief({ machineId: "m-1" });
    expect(await violations(nats, () => nats.publish(subject, "{}"))).toEqual(["publish"]);
    await nats.close();
  });

  test.each([
    ["send on a link of a service", "f.acme.c.boss.i.l.token"],
    ["announce a machine", "$KV.f_acme_machines.bot"],
    ["ask whether a machine lives", "f.acme.m.m-2.i.alive"],
  ])("a service may not %s", async (_, subject) => {
    const nats = await thief({ client: "bot" });
    expect(await violations(nats, () => nats.publish(subject, "{}"))).toEqual(["publish"]);
    await nats.close();
  });

  test("a machine may send mail, and state where its names are, under its own name", async () => {
    const nats = await thief({ machineId: "m-1" });
    const own = ["f.acme.mail.m-2.m-1", "f.acme.post.m-2.report.m-1", "f.acme.posts.m-1", "$KV.f_acme_names.m-1.6e"];
    for (const subject of own) expect(await violations(nats, () => nats.publish(subject, "{}"))).toEqual([]);
    await nats.close();
  });

  test("credentials without the right write no replica", async () => {
    const nats = await thief({ machineId: "m-1" });
    for (const subject of ["f.acme.replica.m-1.s-1.log", "$JS.API.STREAM.CREATE.f_acme_replica=m-1"])
      expect(await violations(nats, () => nats.publish(subject, "{}")), subject).toEqual(["publish"]);
    await nats.close();
  });

  test.each([
    ["write the replica of another machine", "f.acme.replica.m-2.s-1.log"],
    ["read the replica of another machine", "$JS.API.CONSUMER.CREATE.f_acme_replica=m-2.c.f.acme.replica.m-2.*.*"],
    ["remove the replica of another machine", "$JS.API.STREAM.PURGE.f_acme_replica=m-2"],
  ])("a machine that may write its replica may not %s", async (_, subject) => {
    const nats = await thief({ machineId: "m-1", replicas: true });
    expect(await violations(nats, () => nats.publish("f.acme.replica.m-1.s-1.log", "{}"))).toEqual([]);
    expect(await violations(nats, () => nats.publish(subject, "{}"))).toEqual(["publish"]);
    await nats.close();
  });

  test.each([
    ["write one", "f.acme.replica.m-1.s-1.log"],
    ["remove one", "$JS.API.STREAM.PURGE.f_acme_replica=m-1"],
    ["change the stream of one", "$JS.API.STREAM.UPDATE.f_acme_replica=m-1"],
    ["read mail", "$JS.API.CONSUMER.CREATE.f_acme_mail=m-1.c.f.acme.mail.m-1.*"],
    ["read all of a stream", "$JS.API.CONSUMER.CREATE.f_acme_mail=m-1.c"],
    ["take messages from others' consumers", "$JS.API.CONSUMER.MSG.NEXT.f_acme_mail=m-1.c"],
  ])("a service that may read replicas may not %s", async (_, subject) => {
    const nats = await thief({ client: "bot", replicas: true });
    expect(await violations(nats, () => nats.publish(subject, "{}"))).toEqual(["publish"]);
    await nats.close();
  });

  test("a replica is read with the right to read replicas, and by no other filter than the one that is asked for", async () => {
    const { credentials } = await enrol(keys.enrolmentKey, { machineId: "m-3", replicas: true });
    const { daemon } = await bench.machine("m-3", { credentials, replica: true });
    const { sessionId } = await (await bench.localClient(daemon)).createSession({ cwd: bench.directory });
    const reader = await bench.service({ credentials: await credentialsOf({ client: "bot", replicas: true }) });
    const listed = async () => (await reader.replica("m-3").listSessions()).map((item) => item.sessionId);
    await expect.poll(() => listed().catch(() => [])).toEqual([sessionId]);
    const other = (await service("other")).replica("m-3").listSessions();
    await expect(other).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    // The server compares the filter in the subject, which permissions apply to, with the one that counts.
    const nats = await thief({ client: "bot", replicas: true });
    const config = {
      name: "c",
      ack_policy: "none",
      deliver_subject: "f.acme.r.c.bot.x",
      filter_subject: "f.acme.mail.>",
    };
    const forged = await nats.request(
      "$JS.API.CONSUMER.CREATE.f_acme_replica=m-3.c.f.acme.replica.*.*.*",
      JSON.stringify({ stream_name: "f_acme_replica=m-3", config }),
    );
    expect(forged.json()).toMatchObject({ error: { code: 400 } });
    await nats.close();
  });

  test("a machine that may write its own entry cannot remove those of others by it", async () => {
    const { membership } = await machine("m-2");
    const nats = await thief({ machineId: "m-1" });
    const rollup = headers();
    rollup.set("Nats-Rollup", "all");
    const written = jetstream(nats).publish("$KV.f_acme_machines.m-1", "{}", { headers: rollup });
    await expect(written).rejects.toBeInstanceOf(JetStreamApiError);
    await nats.close();
    const fleet = await service("bot");
    expect([...fleet.machines()].find(({ machineId }) => machineId === "m-2")).toMatchObject({ state: "online" });
    await membership.leave();
  });

  test("credentials that have expired are refused, and end a membership that uses them", async () => {
    const credentials = (await enrol(keys.enrolmentKey, { machineId: "m-1", validMs: 1_500 })).credentials;
    const { membership } = await bench.machine("m-1", { credentials });
    expect(await membership.closed).toMatchObject({ code: "AUTH_REJECTED", retryable: false });
    // In the second in which they expire the server may let one in, and ends it at once.
    const again = () => bench.machine("m-1", { credentials }).catch((error: { code: string }) => error.code);
    await expect.poll(again, { timeout: 10_000 }).toBe("AUTH_REJECTED");
  });

  test("credentials that are revoked are refused, and end a fleet and a membership that use them", async () => {
    await machine("m-2");
    const [asMachine, asService] = [
      await enrol(keys.enrolmentKey, { machineId: "m-1" }),
      await enrol(keys.enrolmentKey, { client: "bot" }),
    ];
    const { membership } = await bench.machine("m-1", { credentials: asMachine.credentials });
    const fleet = await bench.service({ client: "bot", credentials: asService.credentials });
    const connection = await fleet.connection("m-2");
    for (const { user } of [asMachine, asService]) {
      await revoke({
        servers: server.url,
        systemCredentials: keys.systemCredentials,
        operatorSeed: keys.operatorSeed,
        account: keys.enrolmentKey.account,
        user,
      });
    }
    expect(await membership.closed).toMatchObject({ code: "AUTH_REJECTED" });
    expect(await connection.closed).toMatchObject({ code: "AUTH_REJECTED" });
    await expect(bench.machine("m-1", { credentials: asMachine.credentials })).rejects.toMatchObject({
      code: "AUTH_REJECTED",
    });
    expect(await violations(await thief({ client: "other" }), () => {})).toEqual([]);
  });

  test("credentials of another operator, and none, are refused", async () => {
    const strangers = await createFleetKeys("acme", join(directory, "strangers"));
    const { credentials } = await enrol(strangers.enrolmentKey, { client: "bot" });
    await expect(bench.service({ client: "bot", credentials })).rejects.toMatchObject({ code: "AUTH_REJECTED" });
    await expect(bench.service({ client: "bot" })).rejects.toMatchObject({ code: "AUTH_REJECTED" });
  });

  test.each([
    [{}],
    [{ machineId: "a", client: "b" }],
    [{ machineId: "a.b" }],
    [{ client: ">" }],
    [{ client: "a", validMs: 0 }],
  ])("credentials are made for one name that reaches no other: not for %j", async (options) => {
    await expect(enrol(keys.enrolmentKey, options)).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });
});

test.skipIf(!HAS_NATS)(
  `credentials of a cluster with a domain hold behind its leaf, and reach no further${NO_NATS}`,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "fleet-domain-"));
    const { serverConfig, enrolmentKey } = await createFleetKeys("acme", directory, { domain: "hub" });
    await using server = await NatsServer.start(serverConfig);
    await using bench = new FleetBench(server.url, "acme");
    const of = async (options: EnrolOptions) => ({
      credentials: (await enrol(enrolmentKey, options)).credentials,
      domain: "hub",
    });
    // Credentials of long names are larger than the line of 4 KiB that a server takes by itself.
    const long = "machine-of-a-long-name".repeat(2);
    await bench.machine(long, await of({ machineId: long, replicas: true }));
    const fleet = await bench.service(await of({ client: "bot" }));
    const session = await fleet.createSession({ needs: { agent: "echo" }, cwd: bench.directory });
    expect((await fleet.listSessions()).items).toMatchObject([{ sessionId: session.sessionId, machineId: long }]);
    const { credentials } = await of({ machineId: "m-1" });
    const nats = await openNats({ servers: server.url, credentials }, { name: "thief" });
    for (const subject of [
      "$JS.hub.API.$KV.f_acme_machines.m-2",
      "$JS.hub.API.STREAM.DELETE.KV_f_acme_machines",
      "$JS.hub.API.STREAM.PURGE.f_acme_mail=m-2",
    ])
      expect(await violations(nats, () => nats.publish(subject, "{}")), subject).toEqual(["publish"]);
    await nats.close();
    rmSync(directory, { recursive: true, force: true });
  },
);

/** The operations that the server refused. */
async function violations(nats: NatsConnection, act: () => unknown): Promise<string[]> {
  const refused: string[] = [];
  const status = nats.status();
  void (async () => {
    for await (const one of status) {
      if (one.type === "error" && "operation" in one.error) refused.push(String(one.error.operation));
    }
  })();
  act();
  await nats.flush();
  await nats.flush();
  return refused;
}
