import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RelayClient } from "@daemon-sdk/client/relay";
import { createDaemon, MemoryStore } from "@daemon-sdk/local-daemon/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { joinFleet } from "../../packages/fleet/src/machine.js";
import { FleetBench } from "../../packages/fleet/test/support/fleet-bench.js";
import { DOMAIN, NatsCluster } from "../../packages/fleet/test/support/nats-cluster.js";
import { resultsOf, until } from "./observe.js";

let cluster: NatsCluster;
let bench: FleetBench;
/** What a program behind the leaf joins and connects with. */
let behind: { readonly servers: string; readonly domain: string };

beforeEach(async () => {
  cluster = await NatsCluster.start();
  bench = new FleetBench(cluster.urls, "t");
  behind = { servers: cluster.leaf.url, domain: DOMAIN };
  // Who opens the registry first decides its replicas.
  await bench.service({ replicas: 3 });
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

test("a machine behind a leaf joins by the domain, is placed on from both sides, and is missing once it is gone", async () => {
  const { membership } = await bench.machine("far", { ...behind, labels: { place: "far" } });
  await bench.machine("near", { labels: { place: "near" } });
  const services = [await bench.service(), await bench.service(behind)];
  for (const fleet of services) {
    expect([...fleet.machines()]).toMatchObject([
      { machineId: "far", state: "online" },
      { machineId: "near", state: "online" },
    ]);
    for (const place of ["far", "near"]) {
      const session = await fleet.createSession({ needs: { labels: { place } }, cwd: bench.directory });
      expect(await resultsOf(session.stream("hello"))).toEqual(["Echo: hello"]);
    }
    expect((await fleet.listSessions()).missing).toEqual([]);
  }
  const [fleet] = services;
  if (fleet === undefined) return;
  const lost = until(fleet, ([machine]) => machine?.state === "lost");
  await membership.leave();
  await lost;
  expect((await fleet.listSessions()).missing).toMatchObject([{ machineId: "far" }]);
});

test("without the domain a machine behind a leaf is told that the registry cannot be opened", async () => {
  const joined = bench.machine("far", { servers: cluster.leaf.url });
  await expect(joined).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
});

test("mail passes the leaf in both directions, also over a kill of the leaf", async () => {
  const directory = mkdtempSync(join(tmpdir(), "fleet-leaf-"));
  const open: (() => Promise<unknown>)[] = [];
  const machine = async (machineId: string, agentName: string, reached: { servers: string | string[] }) => {
    const daemon = await createDaemon({ stateDir: join(directory, machineId), store: new MemoryStore() });
    open.push(() => daemon.close({ drainMs: 0 }));
    const agent = new RelayClient({ agentName, socketPath: daemon.endpoint.socketPath ?? "" });
    await agent.connect();
    open.push(() => agent.close());
    const membership = await joinFleet(daemon, { tenant: "t", machineId, ...reached });
    open.push(() => membership.leave());
    return agent;
  };
  const send = async (from: RelayClient, to: string, body: string) =>
    expect.poll(async () => (await from.send(to, body)).state).toBe("queued");
  const alice = await machine("far", "Alice", behind);
  const bob = await machine("near", "Bob", { servers: cluster.urls });
  const [toAlice, toBob] = [alice.messages(), bob.messages()];
  await send(alice, "Bob", "one");
  expect((await toBob.next()).value).toMatchObject({ from: "Alice", body: "one" });
  await send(bob, "Alice", "two");
  expect((await toAlice.next()).value).toMatchObject({ from: "Bob", body: "two" });
  await cluster.leaf.kill();
  await send(alice, "Bob", "three");
  await send(bob, "Alice", "four");
  await cluster.leaf.run();
  expect((await toBob.next()).value).toMatchObject({ body: "three" });
  expect((await toAlice.next()).value).toMatchObject({ body: "four" });
  for (const close of open.reverse()) await close();
  rmSync(directory, { recursive: true, force: true });
});
