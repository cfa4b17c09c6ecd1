import { ConnectionError, SessionNotFoundError } from "@daemon-sdk/client";
import type { Transport } from "@daemon-sdk/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fleet, FleetMachine } from "../src/index.js";
import { joinFleet } from "../src/machine.js";
import { Subjects } from "../src/names/index.js";
import { openNats } from "../src/nats/index.js";
import { openBuckets } from "../src/registry/index.js";
import { FleetBench } from "./support/fleet-bench.js";
import { CuttablePort, HAS_NATS, NatsServer, NO_NATS } from "./support/nats-server.js";

let tenants = 0;

describe.skipIf(!HAS_NATS)(`a fleet over NATS${NO_NATS}`, () => {
  let server: NatsServer;
  let bench: FleetBench;

  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    tenants += 1;
    bench = new FleetBench(server.url, `tenant-${tenants}`);
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  test("a service runs a turn on a machine that it names", async () => {
    await bench.machine("m-1");
    const fleet = await bench.service();
    const connection = await fleet.connection("m-1");
    const { text } = await connection.run("hello", { cwd: bench.directory });
    expect(text).toBe("Echo: hello");
    expect(await fleet.connection("m-1")).toBe(connection);
  });

  test("machines are listed with what they announce, and their going is noticed", async () => {
    const { membership } = await bench.machine("m-1", { labels: { region: "eu" }, capacity: 4 });
    await bench.machine("m-2");
    const fleet = await bench.service();
    expect([...fleet.machines()]).toMatchObject([
      {
        machineId: "m-1",
        state: "online",
        labels: { region: "eu" },
        agents: ["echo", "workspace-agent", "asking"],
        load: 0,
      },
      { machineId: "m-2", state: "online" },
    ]);
    const isLost = until(fleet, ([first]) => first?.state === "lost");
    await membership.leave();
    await isLost;
    await expect(fleet.connection("m-1")).rejects.toMatchObject({ code: "MACHINE_GONE", retryable: true });
  });

  test("a session is made on a machine that meets its needs, and found from another service", async () => {
    await bench.machine("eu-1", { labels: { region: "eu" } });
    await bench.machine("us-1", { labels: { region: "us" } });
    const [one, other] = [await bench.service(), await bench.service()];
    for (const region of ["eu", "us", "eu"]) {
      const session = await one.createSession({ needs: { labels: { region }, agent: "echo" }, cwd: bench.directory });
      const listed = await other.listSessions();
      expect(listed.missing).toEqual([]);
      expect(listed.items.find((item) => item.sessionId === session.sessionId)?.machineId).toBe(`${region}-1`);
      const resumed = await other.resumeSession(session.sessionId);
      expect(await resultOf(resumed.stream("there"))).toBe("Echo: there");
    }
    const unmet = one.createSession({ needs: { labels: { region: "mars" } } });
    await expect(unmet).rejects.toMatchObject({ code: "NO_MACHINE" });
    await expect(other.resumeSession("nobody-made-it")).rejects.toBeInstanceOf(SessionNotFoundError);
  });

  test("two services that make one session at the same time get one session, on one machine", async () => {
    for (const id of ["m-1", "m-2", "m-3", "m-4"]) await bench.machine(id);
    const services = await Promise.all([bench.service(), bench.service(), bench.service()]);
    const sessionId = "thread:17.with-a.name";
    await Promise.all(services.map((fleet) => fleet.createSession({ sessionId, cwd: bench.directory })));
    const { items } = await (services[0] as Fleet).listSessions();
    expect(items.map((item) => item.sessionId)).toEqual([sessionId]);
  });

  test("a session that a local client made is found where it runs", async () => {
    const { daemon } = await bench.machine("m-1");
    await bench.machine("m-2");
    const local = await bench.localClient(daemon);
    const { sessionId } = await local.createSession({ cwd: bench.directory });
    const fleet = await bench.service();
    expect((await fleet.resumeSession(sessionId)).sessionId).toBe(sessionId);
  });

  test("what a lost machine has is missing from a list, and never silently", async () => {
    await bench.machine("m-1");
    const { daemon } = await bench.machine("m-2");
    const fleet = await bench.service();
    const needs = { labels: {} };
    await fleet.createSession({ needs, cwd: bench.directory });
    const { sessionId } = await (await fleet.connection("m-2")).createSession({ cwd: bench.directory });
    await fleet.resumeSession(sessionId);
    const isLost = until(fleet, (machines) => machines[1]?.state === "lost");
    await daemon.close({ drainMs: 0 });
    await isLost;
    // Also in a service that never saw the machine.
    for (const one of [fleet, await bench.service()]) {
      const { missing } = await one.listSessions();
      expect(missing).toMatchObject([{ machineId: "m-2", error: { code: "MACHINE_GONE" } }]);
      await expect(one.listSessions()).resolves.toBeDefined();
    }
  });

  test("what agents of all machines wait for is listed, and answered on the machine of the request", async () => {
    for (const id of ["m-1", "m-2"]) await bench.machine(id);
    const fleet = await bench.service();
    const results = [];
    for (const machineId of ["m-2", "m-1"]) {
      const connection = await fleet.connection(machineId);
      const session = await connection.createSession({ agent: "asking", cwd: bench.directory });
      results.push(resultOf(session.stream(`touch ${machineId}`)));
      await expect.poll(async () => connection.listRequests()).toHaveLength(1);
    }
    const { items, missing } = await fleet.listRequests();
    expect(missing).toEqual([]);
    expect(items).toMatchObject([{ machineId: "m-2", method: "request_permission" }, { machineId: "m-1" }]);
    for (const { machineId, requestId } of items)
      await (await fleet.connection(machineId)).answerRequest(requestId, "proceed_once");
    expect(await Promise.all(results)).toEqual(["Done: touch m-2", "Done: touch m-1"]);
    expect((await fleet.listRequests()).items).toEqual([]);
  });

  test("conversations of all machines are searched, and a machine that is lost is missing", async () => {
    await bench.machine("m-1");
    const { membership } = await bench.machine("m-2");
    const fleet = await bench.service();
    for (const id of ["m-1", "m-2"]) await (await fleet.connection(id)).run("a red herring", { cwd: bench.directory });
    const found = async () =>
      (await fleet.searchSessions({ query: "herring" })).items.map((one) => one.machineId).sort();
    await expect.poll(found).toEqual(["m-1", "m-2"]);
    await membership.leave();
    expect(await fleet.searchSessions({ query: "herring" })).toMatchObject({
      items: [{ machineId: "m-1" }],
      missing: [{ machineId: "m-2", error: { code: "MACHINE_GONE" } }],
    });
  });

  test("a connection outlives the restart of its machine's daemon, and so does a session", async () => {
    const { daemon } = await bench.machine("m-1");
    const fleet = await bench.service();
    const session = await fleet.createSession({ cwd: bench.directory });
    expect(await resultOf(session.stream("before"))).toBe("Echo: before");
    await daemon.close({ drainMs: 0 });
    await bench.machine("m-1");
    expect(await resultOf(session.stream("after"))).toBe("Echo: after");
  });

  test("of two machines of one name the second is refused, and the first goes on", async () => {
    await bench.machine("m-1");
    const twin = await bench.daemon("twin");
    await expect(bench.join(twin, "m-1")).rejects.toMatchObject({ code: "NAME_TAKEN", retryable: false });
    const fleet = await bench.service();
    expect((await (await fleet.connection("m-1")).run("still here", { cwd: bench.directory })).text).toContain(
      "still here",
    );
  });

  test("a machine whose entry another daemon has taken stops serving the fleet, and its local clients go on", async () => {
    const { daemon, membership } = await bench.machine("m-1");
    const nats = await openNats({ servers: server.url }, { name: "twin" });
    const { machines } = await openBuckets(nats, new Subjects(`tenant-${tenants}`), { replicas: 1, domain: undefined });
    const entry = (await machines.get("m-1"))?.json<object>();
    await machines.put("m-1", JSON.stringify({ ...entry, instance: "another" }));
    expect(await membership.closed).toMatchObject({ code: "NAME_TAKEN", retryable: false });
    expect((await machines.get("m-1"))?.json()).toMatchObject({ instance: "another" });
    await nats.close();
    const local = await bench.localClient(daemon);
    expect((await local.run("alone", { cwd: bench.directory })).text).toBe("Echo: alone");
  });

  test("a stream goes on when the machine's connection to NATS is cut", async () => {
    await using wire = await CuttablePort.open(server.port);
    await bench.machine("m-1", { servers: wire.url });
    const fleet = await bench.service();
    const session = await fleet.createSession({ cwd: bench.directory });
    for (const prompt of ["one", "two"]) {
      const stream = session.stream(prompt);
      wire.cut();
      expect(await resultOf(stream)).toBe(`Echo: ${prompt}`);
    }
  });

  test("a service that a machine does not serve is refused", async () => {
    await bench.machine("m-1", { principal: (client) => (client === "bot" ? { keyId: "bot" } : undefined) });
    const stranger = await bench.service({ client: "stranger" });
    await expect(stranger.connection("m-1")).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    const bot = await bench.service({ client: "bot" });
    expect((await (await bot.connection("m-1")).run("hi", { cwd: bench.directory })).text).toBe("Echo: hi");
  });

  test("a dial that is answered after its membership has ended harms nobody", async () => {
    const daemon = await bench.daemon("m-1");
    const gate = signalOf();
    const dialed = signalOf();
    const slow = {
      endpoint: daemon.endpoint,
      closed: daemon.closed,
      async accept(...[transport, principal]: Parameters<typeof daemon.accept>) {
        if (principal?.keyId !== "slow") return daemon.accept(transport, principal);
        dialed.resolve();
        return gate.promise;
      },
    };
    const membership = await bench.join(slow, "m-1", { principal: () => ({ keyId: "slow" }) });
    const fleet = await bench.service();
    const refused = expect(fleet.connection("m-1")).rejects.toBeInstanceOf(ConnectionError);
    await dialed.promise;
    await membership.leave();
    // An unhandled rejection would fail the run.
    gate.resolve();
    await fleet.close();
    await refused;
  });

  test("a machine's own connection is restored, so that its entry is renewed", async () => {
    const daemon = await bench.daemon("m-1");
    const own: Transport[] = [];
    const watched = {
      endpoint: daemon.endpoint,
      closed: daemon.closed,
      accept(...[transport, principal]: Parameters<typeof daemon.accept>) {
        own.push(transport);
        return daemon.accept(transport, principal);
      },
    };
    await bench.join(watched, "m-1");
    const fleet = await bench.service();
    const [before] = [...fleet.machines()];
    own[0]?.terminate();
    await until(fleet, ([machine]) => (machine?.revision ?? 0) > (before?.revision ?? 0) + 2);
    expect(own).toHaveLength(2);
  });

  test("a member that leaves does not claim to live: the next one of its name joins at once", async () => {
    const { membership } = await bench.machine("m-1");
    const successor = await bench.daemon("successor");
    const [, joined] = await Promise.all([membership.leave(), bench.join(successor, "m-1")]);
    expect(await membership.closed).toBeUndefined();
    expect(joined.machineId).toBe("m-1");
  });

  test("a change while a reader of the machines is busy is not missed", async () => {
    const { membership } = await bench.machine("m-1", { renewMs: 60_000 });
    const fleet = await bench.service();
    const states = fleet.machines().changes();
    expect((await states.next()).value).toMatchObject([{ state: "online" }]);
    const other = until(await bench.service(), ([machine]) => machine?.state === "lost");
    const seen = until(fleet, ([machine]) => machine?.state === "lost");
    await Promise.all([membership.leave(), other, seen]);
    expect((await states.next()).value).toMatchObject([{ state: "lost" }]);
  });

  test("entries of the registry that are not of their machine are not read", async () => {
    const { membership } = await bench.machine("m-1");
    const nats = await openNats({ servers: server.url }, { name: "stranger" });
    const { machines } = await openBuckets(nats, new Subjects(`tenant-${tenants}`), { replicas: 1, domain: undefined });
    const entry = (await machines.get("m-1"))?.json<object>();
    await machines.put("m-2", JSON.stringify({ ...entry, machineId: "m-1" }));
    await machines.put("m-3", JSON.stringify({ ...entry, machineId: "m-3", instance: "*" }));
    const fleet = await bench.service();
    expect([...fleet.machines()].map(({ machineId }) => machineId)).toEqual(["m-1"]);
    await nats.close();
    await membership.leave();
  });

  test("a fleet that is closed makes no connection, and ends those that are being made", async () => {
    const daemon = await bench.daemon("m-1");
    const dialed = signalOf();
    const silent = {
      endpoint: daemon.endpoint,
      closed: daemon.closed,
      async accept(...[transport, principal]: Parameters<typeof daemon.accept>) {
        if (principal?.keyId === undefined) return daemon.accept(transport, principal);
        dialed.resolve();
      },
    };
    await bench.join(silent, "m-1", { principal: () => ({ keyId: "silent" }) });
    const fleet = await bench.service();
    const made = expect(fleet.connection("m-1")).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
    await dialed.promise;
    await fleet.close();
    await made;
    await expect(fleet.connection("m-1")).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
  });

  test("two programs of one service have links to one machine at the same time", async () => {
    await bench.machine("m-1");
    const services = [await bench.service({ client: "bot" }), await bench.service({ client: "bot" })];
    const sessions = [];
    for (const fleet of services) sessions.push(await fleet.createSession({ cwd: bench.directory }));
    const drops: string[] = [];
    for (const fleet of services) {
      const connection = await fleet.connection("m-1");
      void (async () => {
        for await (const { type } of connection.status()) if (type !== "connected") drops.push(type);
      })();
    }
    for (const prompt of ["one", "two"]) {
      const results = await Promise.all(sessions.map((session) => resultOf(session.stream(prompt))));
      expect(results).toEqual([`Echo: ${prompt}`, `Echo: ${prompt}`]);
    }
    expect(drops).toEqual([]);
  });

  test("fleets of two tenants do not see each other", async () => {
    await bench.machine("m-1");
    const other = await bench.service({ tenant: "another" });
    expect([...other.machines()]).toEqual([]);
    await expect(other.createSession()).rejects.toMatchObject({ code: "NO_MACHINE" });
  });

  test.each(["a.b", "*", ">", "", "a b", "x".repeat(65)])(
    "a name that reaches other subjects is refused: %j",
    async (name) => {
      const daemon = await bench.daemon("m");
      const options = { servers: server.url, machineId: name };
      await expect(joinFleet(daemon, options)).rejects.toMatchObject({ code: "INVALID_OPTION", option: "machineId" });
      await expect(bench.service({ client: name })).rejects.toMatchObject({ code: "INVALID_OPTION", option: "client" });
      await expect(bench.service({ tenant: name })).rejects.toMatchObject({ code: "INVALID_OPTION", option: "tenant" });
    },
  );

  test("local work goes on while NATS is away, and the machine is back with it", async () => {
    await using own = await NatsServer.start();
    const { daemon } = await bench.machine("m-1", { servers: own.url });
    const fleet = await bench.service({ servers: own.url });
    const session = await fleet.createSession({ cwd: bench.directory });
    await own.kill();
    const local = await bench.localClient(daemon);
    expect((await local.run("alone", { cwd: bench.directory })).text).toBe("Echo: alone");
    await own.run();
    expect(await resultOf(session.stream("again"))).toBe("Echo: again");
  });
});

test.skipIf(!HAS_NATS)("a membership and a fleet end while NATS is away, and hold nothing", async () => {
  const server = await NatsServer.start();
  const bench = new FleetBench(server.url, "t");
  const { membership } = await bench.machine("m-1");
  const fleet = await bench.service();
  await fleet.connection("m-1");
  await server.kill();
  await Promise.all([membership.leave(), fleet.close()]);
  expect(await membership.closed).toBeUndefined();
  await bench[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test.skipIf(!HAS_NATS)("a server that takes small messages only carries large ones of links", async () => {
  await using server = await NatsServer.start("max_payload: 4096");
  await using bench = new FleetBench(server.url, "t");
  await bench.machine("m-1");
  const fleet = await bench.service();
  const prompt = "long ".repeat(4_000);
  const { text } = await (await fleet.connection("m-1")).run(prompt, { cwd: bench.directory });
  expect(text).toContain(prompt.trim());
});

test.skipIf(!HAS_NATS)(
  "credentials that may not subscribe are refused, and never taken for an empty fleet",
  async () => {
    const users = "users: [{ user: guest, password: guest, permissions: { subscribe: { deny: 'f.>' } } }]";
    await using server = await NatsServer.start(`authorization { ${users} }\nno_auth_user: guest`);
    await using bench = new FleetBench(server.url, "t");
    await expect(bench.machine("m-1")).rejects.toMatchObject({ code: "AUTH_REJECTED" });
    await expect(bench.service()).rejects.toMatchObject({ code: "AUTH_REJECTED" });
  },
);

test("a fleet without a NATS server is refused with a code", async () => {
  const bench = new FleetBench("nats://127.0.0.1:1", "t");
  const failure = await bench.service().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConnectionError);
  expect(failure).toMatchObject({ code: "CONNECTION_FAILED", retryable: true });
  await bench[Symbol.asyncDispose]();
});

async function until(fleet: Fleet, holds: (machines: readonly FleetMachine[]) => boolean): Promise<void> {
  for await (const machines of fleet.machines().changes()) if (holds(machines)) return;
}

async function resultOf(stream: AsyncIterable<{ type: string }>): Promise<string | undefined> {
  for await (const event of stream) if (event.type === "result") return (event as { text?: string }).text;
  return undefined;
}

function signalOf(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
