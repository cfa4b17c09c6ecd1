import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RelayClient } from "@daemon-sdk/client/relay";
import { createDaemon, MemoryStore } from "@daemon-sdk/local-daemon/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFleetKeys, enrol, type FleetKeys } from "../src/enrol.js";
import { joinFleet } from "../src/machine.js";
import { HAS_NATS, NatsServer, NO_NATS } from "./support/nats-server.js";

describe.skipIf(!HAS_NATS)(`mail between machines of a fleet${NO_NATS}`, () => {
  let directory: string;
  let keys: FleetKeys;
  let server: NatsServer;
  let open: (() => Promise<unknown>)[];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "fleet-mail-"));
    keys = await createFleetKeys("acme", join(directory, "keys"));
    server = await NatsServer.start(keys.serverConfig);
    open = [];
  });
  afterEach(async () => {
    for (const close of open.reverse()) await close();
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  /** A machine with the credentials of an enrolment, and an agent on its relay. */
  async function machine(machineId: string, agentName: string): Promise<RelayClient> {
    const daemon = await createDaemon({ stateDir: join(directory, machineId), store: new MemoryStore() });
    open.push(() => daemon.close({ drainMs: 0 }));
    const agent = new RelayClient({ agentName, socketPath: daemon.endpoint.socketPath ?? "" });
    await agent.connect();
    open.push(() => agent.close());
    const { credentials } = await enrol(keys.enrolmentKey, { machineId });
    const membership = await joinFleet(daemon, { servers: server.url, tenant: "acme", machineId, credentials });
    open.push(() => membership.leave());
    return agent;
  }

  /** Sends until the name is known on the sender's machine. */
  async function send(from: RelayClient, to: string, body: string): Promise<void> {
    await expect.poll(async () => (await from.send(to, body)).state, { timeout: 20_000 }).toBe("queued");
  }

  test("is sent by enrolled machines, and over a restart of NATS", async () => {
    const [alice, bob] = [await machine("m-1", "Alice"), await machine("m-2", "Bob")];
    const received = bob.messages();
    await send(alice, "Bob", "one");
    expect((await received.next()).value).toMatchObject({ from: "Alice", body: "one" });
    await server.kill();
    await send(alice, "Bob", "two");
    await server.run();
    expect((await received.next()).value).toMatchObject({ from: "Alice", body: "two" });
    await send(bob, "Alice", "back");
    expect((await alice.messages().next()).value).toMatchObject({ from: "Bob", body: "back" });
  });

  test("waits for a request's answer from another machine", async () => {
    const [alice, bob] = [await machine("m-1", "Alice"), await machine("m-2", "Bob")];
    await send(alice, "Bob", "hello");
    const received = bob.messages();
    await received.next();
    const answered = alice.sendAndWait("Bob", "well?", { timeoutMs: 20_000 });
    const { value } = await received.next();
    bob.answer(value, { response: "OK", responseData: "yes" });
    expect(await answered).toMatchObject({ response: "OK", responseData: "yes" });
  });
});
