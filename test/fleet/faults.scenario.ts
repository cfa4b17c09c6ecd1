import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Fleet } from "../../packages/fleet/src/index.js";
import { joinFleet } from "../../packages/fleet/src/machine.js";
import { FleetBench } from "../../packages/fleet/test/support/fleet-bench.js";
import { NatsCluster } from "../../packages/fleet/test/support/nats-cluster.js";
import { CuttablePort, NatsServer } from "../../packages/fleet/test/support/nats-server.js";
import { resultsOf, until } from "./observe.js";

describe("one server", () => {
  let server: NatsServer;
  let bench: FleetBench;

  beforeEach(async () => {
    server = await NatsServer.start();
    bench = new FleetBench(server.url, "t");
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  test("ten kills of the server under a session: each turn ends once, with its own text", async () => {
    await bench.machine("m-1");
    const fleet = await bench.service();
    const session = await fleet.createSession({ needs: { agent: "echo" }, cwd: bench.directory });
    for (let round = 1; round <= 10; round += 1) {
      const stream = session.stream(`round ${round}`);
      await server.kill();
      await server.run();
      expect(await resultsOf(stream)).toEqual([`Echo: round ${round}`]);
    }
  });

  test("a black hole on the way to a machine ends its links, and the session goes on behind it", async () => {
    await using wire = await CuttablePort.open(server.port);
    await bench.machine("m-1", { servers: wire.url });
    await bench.machine("m-2");
    const fleet = await bench.service();
    const session = await (await fleet.connection("m-1")).createSession({ agent: "echo", cwd: bench.directory });
    wire.freeze();
    const stream = session.stream("through the hole");
    // Others are not held up by it.
    expect((await (await fleet.connection("m-2")).run("aside", { cwd: bench.directory })).text).toBe("Echo: aside");
    await until(fleet, (machines) => machines[0]?.state === "lost");
    expect((await fleet.listSessions()).missing).toMatchObject([{ machineId: "m-1" }]);
    wire.thaw();
    expect(await resultsOf(stream)).toEqual(["Echo: through the hole"]);
  });

  test("a hundred machines: all are found, listed and reached, and one that goes is missing", async () => {
    const daemon = await bench.daemon("shared");
    const join = async (at: number) =>
      joinFleet(daemon, { servers: server.url, tenant: "t", machineId: `m-${at}`, labels: { zone: String(at % 10) } });
    const memberships = [];
    for (let at = 0; at < 100; at += 10)
      memberships.push(...(await Promise.all(Array.from({ length: 10 }, (_, more) => join(at + more)))));
    const fleet = await bench.service();
    expect([...fleet.machines()].filter(({ state }) => state === "online")).toHaveLength(100);
    const listed = await fleet.listSessions();
    expect(listed.missing).toEqual([]);
    const session = await fleet.createSession({
      needs: { agent: "echo", labels: { zone: "7" } },
      cwd: bench.directory,
    });
    expect(await resultsOf(session.stream("hello"))).toEqual(["Echo: hello"]);
    await memberships[42]?.leave();
    await until(fleet, (machines) => machines.some(({ machineId, state }) => machineId === "m-42" && state === "lost"));
    expect((await fleet.listSessions()).missing).toMatchObject([{ machineId: "m-42" }]);
    await Promise.all(memberships.map((one) => one.leave()));
  });
});

describe("a cluster of three", () => {
  let cluster: NatsCluster;
  let bench: FleetBench;

  beforeEach(async () => {
    cluster = await NatsCluster.start();
    bench = new FleetBench(cluster.urls, "t");
    // Who opens the registry first decides its replicas.
    await bench.service({ replicas: 3 });
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  test("each server is killed in turn, the leader among them: the fleet goes on, and the registry is written again", async () => {
    await bench.machine("m-1");
    const fleet = await bench.service();
    const session = await fleet.createSession({ needs: { agent: "echo" }, cwd: bench.directory });
    for (const [at, node] of cluster.nodes.entries()) {
      await node.kill();
      expect(await resultsOf(session.stream(`without n${at + 1}`))).toEqual([`Echo: without n${at + 1}`]);
      const before = revisionOf(fleet);
      await until(fleet, () => revisionOf(fleet) > before);
      await node.run();
    }
  });

  test("in a minority nothing is placed, local work goes on, and with the majority all is back", async () => {
    const { daemon } = await bench.machine("m-1");
    const fleet = await bench.service();
    const [first, ...others] = cluster.nodes;
    for (const node of others) await node.kill();
    const sessionId = "made-in-a-minority";
    const placed = fleet.createSession({ sessionId, needs: { agent: "echo" }, cwd: bench.directory });
    await expect(placed).rejects.toMatchObject({ retryable: true });
    const local = await bench.localClient(daemon);
    expect((await local.run("alone", { agent: "echo", cwd: bench.directory })).text).toBe("Echo: alone");
    expect((await local.listAvailableSessions()).sessions.map((one) => one.sessionId)).not.toContain(sessionId);
    expect(first).toBeDefined();
    for (const node of others) await node.run();
    const make = () =>
      fleet.createSession({ sessionId, needs: { agent: "echo" }, cwd: bench.directory }).then(
        (session) => session.sessionId,
        () => undefined,
      );
    await expect.poll(make, { interval: 500 }).toBe(sessionId);
  });
});

function revisionOf(fleet: Fleet): number {
  return [...fleet.machines()][0]?.revision ?? 0;
}
