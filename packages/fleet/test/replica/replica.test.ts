import type { Daemon } from "@daemon-sdk/local-daemon/server";
import { SessionNotFoundError, sessionId } from "@daemon-sdk/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fleet, ReplicaSessionContent } from "../../src/index.js";
import { entriesIn, FleetBench } from "../support/fleet-bench.js";
import { HAS_NATS, NatsServer, NO_NATS } from "../support/nats-server.js";

const POLL = { timeout: 20_000 };

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

  /** Runs a turn, and resolves when the replica has all that the store has of the session. */
  async function converse(daemon: Daemon, text: string, id?: string): Promise<string> {
    const local = await bench.localClient(daemon);
    const session = await (id === undefined ? local.createSession({ cwd: bench.directory }) : local.resumeSession(id));
    for await (const _ of session.stream(text)) {
      // To its end.
    }
    return session.sessionId;
  }

  async function expectCurrent(fleet: Fleet, machineId: string, id: string): Promise<ReplicaSessionContent> {
    const read = async () => fleet.replica(machineId).readSession(id, { entries: true });
    const stored = await storedOf(machineId, id);
    const seqs = stored.entries.map(({ seq }) => seq);
    await expect.poll(async () => (await read().catch(() => undefined))?.upTo?.position.seq, POLL).toBe(seqs.at(-1));
    const content = await read();
    expect(content.messages).toEqual(stored.messages);
    expect(content.entries.map(({ seq }) => seq)).toEqual(seqs.slice(-content.entries.length));
    return content;
  }

  test("catches up after the server was away, and after a restart of the machine meanwhile", async () => {
    const first = await bench.machine("m-1", { replica: true });
    const fleet = await bench.service();
    const id = await converse(first.daemon, "one");
    const before = await expectCurrent(fleet, "m-1", id);
    await server.kill();
    await converse(first.daemon, "two", id);
    await first.daemon.close({ drainMs: 0 });
    await server.run();
    const second = await bench.machine("m-1", { replica: true });
    await converse(second.daemon, "three", id);
    const { entries, isWhole } = await expectCurrent(fleet, "m-1", id);
    expect(isWhole).toBe(true);
    expect(entries.slice(0, before.entries.length)).toEqual(before.entries);
    const epochs = new Set(entries.map(({ epoch }) => epoch));
    expect(epochs.size).toBe(2);
  });

  test("has no session that was deleted, also while the server was away and the daemon ended", async () => {
    const first = await bench.machine("m-1", { replica: true });
    const fleet = await bench.service();
    const [kept, deleted, later] = [
      await converse(first.daemon, "kept"),
      await converse(first.daemon, "deleted"),
      await converse(first.daemon, "later"),
    ];
    for (const id of [kept, deleted, later]) await expectCurrent(fleet, "m-1", id);
    const listed = async () => new Set((await fleet.replica("m-1").listSessions()).map(({ sessionId }) => sessionId));
    await (await bench.localClient(first.daemon)).deleteSession(deleted);
    await expect.poll(listed, POLL).toEqual(new Set([kept, later]));
    await server.kill();
    await (await bench.localClient(first.daemon)).deleteSession(later);
    await first.daemon.close({ drainMs: 0 });
    await server.run();
    await bench.machine("m-1", { replica: true });
    await expect.poll(listed, POLL).toEqual(new Set([kept]));
    await expect(fleet.replica("m-1").readSession(later)).rejects.toBeInstanceOf(SessionNotFoundError);
  });

  test("is of the store's own history after the store was replaced by an older copy", async () => {
    const first = await bench.machine("m-1", { replica: true });
    const fleet = await bench.service();
    const local = await bench.localClient(first.daemon);
    const { sessionId: id } = await local.createSession({ sessionId: "same", cwd: bench.directory });
    await converse(first.daemon, "in the lost store", id);
    await expectCurrent(fleet, "m-1", id);
    await first.daemon.close({ drainMs: 0 });
    bench.loseStore("m-1");
    const second = await bench.machine("m-1", { replica: true });
    const again = await bench.localClient(second.daemon);
    await again.createSession({ sessionId: "same", cwd: bench.directory });
    await converse(second.daemon, "in the other store", id);
    await converse(second.daemon, "and more", id);
    const { messages } = await expectCurrent(fleet, "m-1", id);
    expect(JSON.stringify(messages)).not.toContain("in the lost store");
  });

  test("is removed when the machine joins without one", async () => {
    const { daemon, membership } = await bench.machine("m-1", { replica: { maxBytes: 10_000_000, maxAgeDays: 1 } });
    const fleet = await bench.service();
    await expectCurrent(fleet, "m-1", await converse(daemon, "one"));
    await membership.leave();
    await bench.join(daemon, "m-1");
    await expect.poll(async () => (await fleet.replica("m-1").listSessions()).length, POLL).toBe(0);
    await expect.poll(() => daemon.replica.isReplicated).toBe(false);
  });

  test("states how far it is behind, and holds up no turn while the server is away", async () => {
    const { daemon } = await bench.machine("m-1", { replica: true });
    const fleet = await bench.service();
    const id = await converse(daemon, "one");
    await expectCurrent(fleet, "m-1", id);
    const local = await bench.localClient(daemon);
    const behind = async (name: string) =>
      (await local.getMetrics()).metrics.find((metric) => metric.name === `daemon_sdk_replica_behind_${name}`)
        ?.samples[0]?.value;
    await expect.poll(() => behind("entries"), POLL).toBe(0);
    await server.kill();
    await converse(daemon, "two", id);
    expect(await behind("entries")).toBeGreaterThan(0);
    expect(await behind("bytes")).toBeGreaterThan(0);
    expect(await behind("seconds")).toBeGreaterThanOrEqual(0);
    await server.run();
    await expect.poll(() => behind("entries"), POLL).toBe(0);
    expect(await behind("bytes")).toBe(0);
    await expectCurrent(fleet, "m-1", id);
  });

  test("has entries that are larger than a message, and no secrets of a row", async () => {
    const { daemon } = await bench.machine("m-1", { replica: true });
    const fleet = await bench.service();
    const local = await bench.localClient(daemon);
    const session = await local.createSession({
      cwd: bench.directory,
      mcpServers: [{ name: "tools", command: "true", args: [], env: { KEY: "secret-value" } }],
    });
    await converse(daemon, "long ".repeat(100_000), session.sessionId);
    const { row, messages } = await expectCurrent(fleet, "m-1", session.sessionId);
    expect(JSON.stringify(messages).length).toBeGreaterThan(500_000);
    expect(JSON.stringify(row)).not.toContain("secret-value");
  });

  test("is not there for a machine that keeps none, and that is an error of its own", async () => {
    await bench.machine("m-1");
    const fleet = await bench.service();
    await expect(fleet.replica("m-1").listSessions()).rejects.toMatchObject({ code: "NO_REPLICA", retryable: false });
    expect(() => fleet.replica("*")).toThrow("machineId");
    await expect(bench.machine("m-2", { replica: { maxBytes: 0 } })).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });
});
