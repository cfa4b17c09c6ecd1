import { connectDaemon, MachineType } from "@daemon-sdk/client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FleetBench } from "./support/fleet-bench.js";
import { HAS_NATS, NatsServer, NO_NATS } from "./support/nats-server.js";

let tenants = 0;

describe.skipIf(!HAS_NATS)(`connectDaemon to a machine of a fleet${NO_NATS}`, () => {
  let server: NatsServer;
  let bench: FleetBench;
  const address = () => ({ type: MachineType.Fleet, servers: server.url, tenant: `connect-${tenants}` });

  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    tenants += 1;
    bench = new FleetBench(server.url, `connect-${tenants}`);
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  test("by its name, or by a session that it has: a connection as every other one, over a restart, too", async () => {
    const { daemon } = await bench.machine("m-1");
    await bench.machine("m-2");
    await using named = await connectDaemon({ machine: { ...address(), machineId: "m-1" } });
    const { sessionId } = await named.createSession({ cwd: bench.directory });
    await using found = await connectDaemon({ machine: { ...address(), sessionId } });
    const session = await found.resumeSession(sessionId);
    expect(await resultOf(session.stream("hello"))).toBe("Echo: hello");
    await daemon.close({ drainMs: 0 });
    await bench.machine("m-1");
    expect(await resultOf(session.stream("again"))).toBe("Echo: again");
  });

  test("rejects at once for a machine that is not online, and for a session that none has", async () => {
    await bench.machine("m-1");
    const connect = (where: { machineId: string } | { sessionId: string }) =>
      connectDaemon({ machine: { ...address(), ...where } });
    await expect(connect({ machineId: "m-9" })).rejects.toMatchObject({ code: "MACHINE_GONE" });
    await expect(connect({ sessionId: "nobody-made-it" })).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });

  test("waits for a machine that comes later, as often as `maxRetries` says", async () => {
    const connecting = connectDaemon({ machine: { ...address(), machineId: "m-1" }, maxRetries: 5 });
    await bench.machine("m-1");
    await using connection = await connecting;
    expect(connection.capabilities.agents).toContain("echo");
  });
});

async function resultOf(stream: AsyncIterable<{ type: string }>): Promise<string | undefined> {
  for await (const event of stream) if (event.type === "result") return (event as { text?: string }).text;
  return undefined;
}
