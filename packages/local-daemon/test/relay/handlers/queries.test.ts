import { createEnvelope, type Envelope, type MessageType } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { type DaemonConfig, MemoryStore } from "../../../src/server.js";
import { tempHome } from "../../rendezvous/temp-home.js";
import { type RawPeer, RelayDaemon, type Seen, sendOf } from "../relay-daemon.js";
import { isDead, spawned, spawningDaemon } from "../workers/spawn-harness.js";

/** Sends a query and waits for the answer that carries its id. */
async function query(peer: RawPeer, type: MessageType, payload: object, response = `${type}_RESPONSE`): Promise<Seen> {
  const request: Envelope<object> = { ...createEnvelope("BYE", {}), type, payload };
  peer.write(request);
  const answers = () => peer.seen.filter(({ id, type: seen }) => id === request.id && seen === response);
  await peer.when(() => answers().length > 0);
  return answers()[0] as Seen;
}

const bodies = ({ payload }: Seen): string[] => payload.messages.map(({ body }: { body: string }) => body);

async function pair(config: DaemonConfig = {}) {
  const daemon = await RelayDaemon.start(config);
  const alice = await daemon.connect("Alice", { cli: "claude" });
  const bob = await daemon.connect("Bob");
  return { daemon, alice, bob };
}

describe("INBOX", () => {
  test("shows what was sent to the asker, newest first, as soon as the sender was read", async () => {
    const { daemon, alice, bob } = await pair();
    await using _ = daemon;
    bob.send("Alice", "1");
    const id = bob.send("Alice", "2", { topic: "t" });
    bob.send("Bob", "to myself");
    const own = await query(bob, "INBOX", {});
    expect(bodies(own)).toEqual(["to myself"]);
    const { payload } = await query(alice, "INBOX", {});
    expect(payload.messages).toEqual([
      { id: expect.any(String), from: "Bob", body: "2", timestamp: expect.any(Number) },
      { id: expect.any(String), from: "Bob", body: "1", timestamp: expect.any(Number) },
    ]);
    expect(payload.messages[0].id).toBe((await alice.next("DELIVER", 2)).id);
    expect(payload.messages[0].id).not.toBe(id);
  });

  test("narrows by agent, sender, number and what was not acknowledged", async () => {
    const { daemon, alice, bob } = await pair({ relayAccess: "open" });
    await using _ = daemon;
    const carol = await daemon.connect("Carol");
    carol.isAcking = false;
    bob.write(sendOf("Carol", "1"), sendOf("Carol", "2"));
    alice.send("Carol", "3");
    carol.ack(await carol.next("DELIVER", 1));
    await carol.next("DELIVER", 3);
    await carol.settled();
    expect(bodies(await query(alice, "INBOX", { agent: "Carol", from: "Bob" }))).toEqual(["2", "1"]);
    expect(bodies(await query(alice, "INBOX", { agent: "Carol", limit: 1 }))).toEqual(["3"]);
    expect(bodies(await query(alice, "INBOX", { agent: "Carol", unreadOnly: true }))).toEqual(["3", "2"]);
    expect(bodies(await query(alice, "INBOX", { agent: "nobody" }))).toEqual([]);
  });
});

describe("MESSAGES_QUERY", () => {
  test("shows messages with what became of them, newest first or oldest first", async () => {
    const { daemon, alice, bob } = await pair();
    await using _ = daemon;
    await daemon.connect("Carol");
    bob.write(createEnvelope("SEND", { kind: "message", body: "1", thread: "t", data: { a: 1 } }, { to: "Alice" }));
    await alice.next("DELIVER");
    await alice.settled();
    bob.send("*", "2");
    await alice.next("DELIVER", 2);
    await alice.settled();
    const { payload } = await query(alice, "MESSAGES_QUERY", { to: "Alice" }, "MESSAGES_RESPONSE");
    expect(payload.messages).toEqual([
      expect.objectContaining({ from: "Bob", to: "Alice", body: "2", isBroadcast: true, replyCount: 0 }),
      expect.objectContaining({ thread: "t", data: { a: 1 }, status: "acked", isBroadcast: false }),
    ]);
    const oldest = await query(alice, "MESSAGES_QUERY", { order: "asc", from: "Bob", limit: 2 }, "MESSAGES_RESPONSE");
    expect(bodies(oldest)).toEqual(["1", "2"]);
    const threaded = await query(alice, "MESSAGES_QUERY", { thread: "t" }, "MESSAGES_RESPONSE");
    expect(bodies(threaded)).toEqual(["1"]);
  });

  test("answers with what fits into a frame and says that there is more, so that one can page on", async () => {
    const { daemon, alice, bob } = await pair();
    await using _ = daemon;
    const large = (number: number) => `${number} ${"x".repeat(300_000)}`;
    for (const number of [1, 2, 3, 4, 5]) {
      bob.send("Alice", large(number));
      await alice.next("DELIVER", number);
    }
    const seen = new Set<string>();
    for (let sinceTs = 0, hasMore = true; hasMore; ) {
      const page = await query(alice, "MESSAGES_QUERY", { order: "asc", sinceTs }, "MESSAGES_RESPONSE");
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(1024 * 1024);
      for (const body of bodies(page)) seen.add(body.slice(0, 1));
      sinceTs = page.payload.messages.at(-1).timestamp;
      hasMore = page.payload.hasMore === true;
    }
    expect([...seen]).toEqual(["1", "2", "3", "4", "5"]);
    expect(alice.all("ERROR")).toEqual([]);
  });

  test("shows a message of the largest size cut short, because its row would not fit", async () => {
    const { daemon, alice, bob } = await pair();
    await using _ = daemon;
    const body = "x".repeat(1024 * 1024 - 300);
    bob.send("Alice", body);
    const delivered = await alice.next("DELIVER");
    expect(delivered.payload.body).toBe(body);
    const { payload } = await query(alice, "MESSAGES_QUERY", {}, "MESSAGES_RESPONSE");
    expect(payload.messages[0].id).toBe(delivered.id);
    expect(body.startsWith(payload.messages[0].body)).toBe(true);
    expect(payload.messages[0].body.length).toBeGreaterThan(100_000);
  });

  test("of a store that fails is answered with an ERROR that names it", async () => {
    const store = new MemoryStore();
    const { daemon, alice } = await pair({ store });
    await using _ = daemon;
    store.mailboxSegments = () => Promise.reject(new TypeError("disk on fire"));
    const inbox = createEnvelope("INBOX", {});
    const messages = createEnvelope("MESSAGES_QUERY", {});
    alice.write(inbox, messages);
    await alice.next("ERROR", 2);
    const told = alice.all("ERROR").map(({ payload: { code, message, ref_id } }) => [code, message, ref_id]);
    expect(told).toEqual([
      ["INTERNAL", "Failed to get inbox: disk on fire", inbox.id],
      ["INTERNAL", "Failed to get messages: disk on fire", messages.id],
    ]);
  });
});

describe("lists of agents", () => {
  test("name connected agents, no users and nothing internal; with includeIdle those that were there, too", async () => {
    const { daemon, alice, bob } = await pair();
    await using _ = daemon;
    await daemon.connect("__hidden");
    await daemon.connect("Una", { entityType: "user" });
    await bob.cut();
    const connected = [{ name: "Alice", cli: "claude", idle: false }];
    const list = async () => (await query(alice, "LIST_CONNECTED_AGENTS", {})).payload.agents;
    while ((await list()).length > 1);
    expect(await list()).toEqual(connected);
    expect((await query(alice, "LIST_AGENTS", {})).payload.agents).toEqual(connected);
    const all = (await query(alice, "LIST_AGENTS", { includeIdle: true })).payload.agents;
    expect(all).toEqual([...connected, { name: "Bob", idle: true }]);
  });
});

describe("REMOVE_AGENT", () => {
  test("forgets an agent that is away, with its channels and on request its messages", async () => {
    const { daemon, alice, bob } = await pair();
    await using _ = daemon;
    bob.write(createEnvelope("CHANNEL_JOIN", { channel: "#dev" }));
    await bob.settled();
    await bob.cut();
    const remove = async () => (await query(alice, "REMOVE_AGENT", { name: "Bob", removeMessages: true })).payload;
    let answer = await remove();
    while (answer.message.includes("is connected")) answer = await remove();
    expect(answer).toEqual({ success: true, removed: true, message: "Removed agent Bob and its messages" });
    alice.send("Bob", "anybody?");
    expect((await alice.next("ERROR")).payload.code).toBe("NOT_FOUND");
    const again = await daemon.connect("Bob");
    alice.write(createEnvelope("CHANNEL_JOIN", { channel: "#dev" }));
    alice.write(createEnvelope("CHANNEL_MESSAGE", { channel: "#dev", body: "for members" }));
    await alice.settled();
    await again.settled();
    expect(again.all("CHANNEL_MESSAGE")).toEqual([]);
  });

  test.each(["agent", "user"])(
    "of a connected %s ends its connection for good, for whoever acts for the person",
    async (entityType) => {
      const { daemon, alice } = await pair({ relayAccess: "open" });
      await using _ = daemon;
      const carol = await daemon.connect("Carol", { entityType });
      alice.write(createEnvelope("CHANNEL_JOIN", { channel: "#dev", member: "Carol" }));
      const { payload } = await query(alice, "REMOVE_AGENT", { name: "Carol" });
      expect(payload).toEqual({ success: true, removed: true, message: "Removed agent Carol" });
      await carol.ended();
      expect(carol.all("ERROR").map(({ payload: error }) => error)).toEqual([
        expect.objectContaining({ fatal: true, message: 'Agent "Carol" was removed by "Alice".' }),
      ]);
      expect((await query(alice, "LIST_AGENTS", { includeIdle: true })).payload.agents).toHaveLength(2);
      const self = await query(alice, "REMOVE_AGENT", { name: "Alice" });
      expect(self.payload).toMatchObject({ success: false, message: expect.stringContaining("the one that asks") });
    },
  );

  test("of a worker ends its process, too", async () => {
    await using daemon = await spawningDaemon({ relayAccess: "open" });
    const lead = await daemon.connect("Lead");
    const pid = await spawned(lead, "Worker", "workspace");
    expect((await query(lead, "REMOVE_AGENT", { name: "Worker" })).payload).toMatchObject({ removed: true });
    expect(await isDead(pid)).toBe(true);
    expect((await query(lead, "LIST_AGENTS", { includeIdle: true })).payload.agents).toHaveLength(1);
  });

  test("refuses unknown names, impossible ones, and agents that are connected", async () => {
    const { daemon, alice } = await pair();
    await using _ = daemon;
    const remove = async (name: string) => (await query(alice, "REMOVE_AGENT", { name })).payload;
    expect(await remove("Nobody")).toEqual({
      success: false,
      removed: false,
      message: "Agent Nobody not found in registry or storage",
    });
    expect((await remove("")).message).toContain("Invalid agent name");
    expect((await remove("x".repeat(129))).message).toContain("Invalid agent name");
    expect(await remove("Bob")).toMatchObject({ success: false, message: expect.stringContaining("is connected") });
    alice.send("Bob", "still there");
  });
});

describe("queries about the daemon", () => {
  test("STATUS counts everybody who is connected, and says that what is in memory is not kept", async () => {
    const { daemon, alice } = await pair();
    await using _ = daemon;
    await daemon.connect("Una", { entityType: "user" });
    expect((await query(alice, "STATUS", {})).payload).toEqual({
      version: expect.any(String),
      uptime: expect.any(Number),
      cloudConnected: false,
      agentCount: 3,
      storage: { persistent: false, driver: "memory", canWrite: true, canRead: true },
    });
  });

  test("STATUS tells the store on disk from one in memory, and one that fails from one that works", async () => {
    using home = tempHome();
    await using onDisk = await RelayDaemon.start({ stateDir: home.state, store: undefined });
    const first = await onDisk.connect("Alice");
    expect((await query(first, "STATUS", {})).payload.storage).toMatchObject({ persistent: true, driver: "sqlite" });
    const store = new MemoryStore();
    const { daemon, alice } = await pair({ store });
    await using _ = daemon;
    store.relayFacts = () => Promise.reject(new TypeError("disk on fire"));
    expect((await query(alice, "STATUS", {})).payload.storage).toMatchObject({
      canRead: false,
      canWrite: true,
      error: expect.stringContaining("disk on fire"),
    });
  });

  test("HEALTH of a daemon without trouble is perfect", async () => {
    const { daemon, alice } = await pair();
    await using _ = daemon;
    expect((await query(alice, "HEALTH", { includeCrashes: true })).payload).toEqual({
      healthScore: 100,
      summary: "System is healthy",
      issues: [],
      recommendations: [],
      crashes: [],
      alerts: [],
      stats: { totalCrashes24h: 0, totalAlerts24h: 0, agentCount: 2 },
    });
  });

  test("METRICS measures what was spawned, of one agent or of all", async () => {
    await using daemon = await spawningDaemon();
    const lead = await daemon.connect("Lead");
    const pid = await spawned(lead, "Worker", "workspace");
    const { agents, system } = (await query(lead, "METRICS", {})).payload;
    expect(agents).toEqual([expect.objectContaining({ name: "Worker", pid, status: "running" })]);
    if (process.platform === "linux") expect(agents[0]).toMatchObject({ alertLevel: "normal" });
    expect(system.totalMemory).toBeGreaterThan(system.freeMemory);
    expect((await query(lead, "METRICS", { agent: "Nobody" })).payload.agents).toEqual([]);
  });
});

describe("LOG", () => {
  test("goes to the daemon's log under the agent's name, and is not answered", async () => {
    const lines: unknown[] = [];
    const info = (fields: object) => void lines.push(fields);
    const silent = () => {};
    const { daemon, alice } = await pair({ logger: { debug: silent, info, warn: silent, error: silent } });
    await using _ = daemon;
    await alice.next("AGENT_READY");
    const count = alice.seen.length;
    alice.write(createEnvelope("LOG", { data: "compiling", timestamp: 5 }));
    await alice.settled();
    expect(lines).toContainEqual(expect.objectContaining({ agent: "Alice", output: "compiling", at: 5 }));
    expect(alice.seen.length).toBe(count + 1);
  });
});
