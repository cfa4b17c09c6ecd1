import { expect, test } from "vitest";
import { FleetBench } from "../../packages/fleet/test/support/fleet-bench.js";
import { PartitionableCluster } from "../../packages/fleet/test/support/nats-cluster.js";
import { resultsOf, until } from "./observe.js";

test("a server that is cut off from its cluster places nothing, its machine works on locally, and the majority goes on", async () => {
  await using cluster = await PartitionableCluster.start();
  const [alone = "", majority = ""] = cluster.nodes.map(({ url }) => url);
  await using bench = new FleetBench(majority, "t");
  const service = await bench.service({ replicas: 3 });
  const { daemon } = await bench.machine("m-1", { servers: alone });
  await bench.machine("m-2");
  const cutOff = await bench.service({ servers: alone });
  await until(cutOff, (machines) => machines.length === 2);
  const needs = { agent: "echo" };
  const cwd = bench.directory;

  cluster.split();
  await expect(cutOff.createSession({ sessionId: "in-the-minority", needs, cwd })).rejects.toMatchObject({
    retryable: true,
  });
  const local = await bench.localClient(daemon);
  expect((await local.run("alone", { agent: "echo", cwd })).text).toBe("Echo: alone");
  await until(service, ([first]) => first?.state === "lost");
  const make = (fleet: typeof service, sessionId: string) =>
    fleet.createSession({ sessionId, needs, cwd }).then(
      (session) => resultsOf(session.stream("hello")),
      (error: { retryable: boolean }) => error.retryable,
    );
  await expect.poll(() => make(service, "in-the-majority"), { interval: 500 }).toEqual(["Echo: hello"]);
  const { items, missing } = await service.listSessions();
  expect(items).toMatchObject([{ sessionId: "in-the-majority", machineId: "m-2" }]);
  expect(missing).toMatchObject([{ machineId: "m-1", error: { code: "MACHINE_GONE" } }]);

  cluster.heal();
  await until(service, ([first]) => first?.state === "online");
  await expect.poll(() => make(cutOff, "in-the-minority"), { interval: 500 }).toEqual(["Echo: hello"]);
  await expect.poll(async () => (await service.listSessions()).missing).toEqual([]);
});
