import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDaemon } from "@daemon-sdk/local-daemon/server";
import { type CaseResult, daemonContract, daemonHarness, runCase } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { LinkRouter } from "../../packages/fleet/src/link/index.js";
import { type FleetDaemon, joinFleet } from "../../packages/fleet/src/machine.js";
import { Subjects } from "../../packages/fleet/src/names/index.js";
import { openNats } from "../../packages/fleet/src/nats/index.js";
import { openBuckets } from "../../packages/fleet/src/registry/index.js";
import { dialMachine } from "../../packages/fleet/src/service/dial-machine.js";
import { KIT_KEYS, WORKSPACE_AGENT_PROGRAM, workspaceKit } from "../contract/workspace-kit.js";
import { openPlace, PLACES } from "./places.js";

test.each(PLACES)(
  "a daemon that is reached through the fleet keeps the laws of a daemon: %s",
  { timeout: 600_000 },
  async (place) => {
    const directory = mkdtempSync(join(tmpdir(), "fleet-contract-"));
    await using servers = await openPlace(place);
    const daemon = await createDaemon({
      stateDir: false,
      agents: { worker: { command: [process.execPath, WORKSPACE_AGENT_PROGRAM] } },
      defaultAgent: "worker",
      apiKeys: KIT_KEYS,
    });
    // The kit authenticates by itself, as a client at the socket does.
    const door: FleetDaemon = {
      endpoint: daemon.endpoint,
      closed: daemon.closed,
      accept: (link, principal) => (principal?.keyId === "kit" ? daemon.accept(link) : daemon.accept(link, principal)),
    };
    const principal = () => ({ keyId: "kit" });
    await using _membership = await joinFleet(door, { ...servers.machine, machineId: "m-1", principal });
    const subjects = new Subjects("default");
    const nats = await openNats(servers.service, { name: "kit" });
    const self = { client: "kit", instance: "i" };
    const router = new LinkRouter({ nats, subjects, prefix: subjects.client(self) });
    await router.ready();
    const { machines } = await openBuckets(nats, subjects, { replicas: 1, domain: undefined });
    const machine = (await machines.get("m-1"))?.json<{ machineId: string; instance: string }>();
    if (machine === undefined) throw new Error("the machine is not in the registry");
    const kit = workspaceKit(directory);
    const harness = daemonHarness({
      ...kit,
      connect: () => dialMachine({ nats, router, subjects, self }, machine, new AbortController().signal),
      credential: kit.keys[0] ?? {},
    });
    const results: CaseResult[] = [];
    for (const one of daemonContract) results.push(await runCase(one, harness));
    router.close();
    await nats.close();
    await daemon.close({ drainMs: 0 });
    rmSync(directory, { recursive: true, force: true });
    const failed = results.filter(({ outcome }) => outcome === "failed");
    expect(failed).toEqual([]);
    const passed = results.filter(({ outcome }) => outcome === "passed");
    console.log(`${place}: ${passed.length} of ${results.length} laws hold; the others need a restart or a clock`);
    expect(passed.length / results.length).toBeGreaterThan(0.7);
  },
);
