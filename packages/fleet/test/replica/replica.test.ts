import { sessionId } from "@daemon-sdk/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { entriesIn, FleetBench } from "../support/fleet-bench.js";
import { HAS_NATS, NatsServer, NO_NATS } from "../support/nats-server.js";

let tenants = 0;

describe.skipIf(!HAS_NATS)(`a replica of a machine's sessions${NO_NATS}`, () => {
  let server: NatsServer;
  let bench: FleetBench;

  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    tenants += 1;
    bench = new FleetBench(server.url, `replica-${tenants}`);
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  /** What the store of a machine has of a session. */
  async function storedOf(machineId: string, id: string) {
    const store = bench.storeOf(machineId);
    const run = await store?.readMessageRun(sessionId(id), { after: 0, limit: 10_000, maxBytes: 1e9 });
    const entries = await entriesIn(store, id);
    return { messages: run?.messages.map(({ message }) => message) ?? [], entries };
  }

  test("has the conversation, the entries and the row of a lost machine, and states up to where", async () => {
    const { daemon } = await bench.machine("m-1", { replica: true });
    const fleet = await bench.service();
    const session = await (await fleet.connection("m-1")).createSession({
      sessionId: "thread:1.with-a.name",
      cwd: bench.directory,
    });
    for await (const _ of session.stream("hello")) {
      // To its end.
    }
    const stored = await storedOf("m-1", session.sessionId);
    const replica = fleet.replica("m-1");
    await expect.poll(async () => (await replica.listSessions())[0]?.upTo?.position.seq).toBe(stored.entries.length);
    await daemon.close({ drainMs: 0 });
    await expect.poll(() => [...fleet.machines()][0]?.state).toBe("lost");
    const { missing } = await fleet.listSessions();
    expect(missing).toMatchObject([{ machineId: "m-1", hasReplica: true }]);
    const [item] = await replica.listSessions();
    expect(item).toMatchObject({ sessionId: session.sessionId, cwd: bench.directory, agent: "echo" });
    const { messages, entries, isWhole, upTo } = await replica.readSession(session.sessionId, { entries: true });
    expect(isWhole).toBe(true);
    expect(messages).toEqual(stored.messages);
    expect(entries).toHaveLength(stored.entries.length);
    expect(entries.at(-1)).toMatchObject(upTo?.position ?? {});
    expect(entries.map(({ seq }) => seq)).toEqual(stored.entries.map((_, index) => index + 1));
  });
});
