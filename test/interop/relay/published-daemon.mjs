/** Part (b): our client through the published daemon, as far as that one can. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { RelayClient } from "@daemon-sdk/client/relay";
import { Arrivals, throwAwayDirectory, until } from "./conversation.mjs";

/** Our client, read to the end. */
class Member {
  messages = new Arrivals();
  presence = new Arrivals();

  constructor(socketPath, agentName, options = {}) {
    this.client = new RelayClient({ agentName, socketPath, ...options });
    this.client.onPresence = (event) => this.presence.push(event);
  }

  async connect() {
    await this.client.connect();
    this.reading = this.#read();
    return this;
  }

  async #read() {
    for await (const message of this.client.messages()) this.messages.push(message);
  }

  hears(body) {
    return this.messages.next(`the message "${body}"`, (message) => message.body === body);
  }
}

/** Starts the published daemon with a home of its own, and without the lines it writes to the console. */
async function startPublishedDaemon(directory) {
  process.env.HOME = directory;
  process.env.AGENT_RELAY_TELEMETRY_DISABLED = "1";
  const { Daemon } = await import("@agent-relay/daemon");
  const { MemoryStorageAdapter } = await import("@agent-relay/storage/adapter");
  const team = join(directory, "team");
  mkdirSync(team, { recursive: true });
  const socketPath = join(directory, "relay.sock");
  const daemon = new Daemon({
    socketPath,
    pidFilePath: `${socketPath}.pid`,
    teamDir: team,
    storageAdapter: new MemoryStorageAdapter(),
    cloudSync: false,
    consensus: false,
  });
  await daemon.start();
  return { daemon, socketPath };
}

export async function checkPublishedDaemon(checks) {
  console.log("(b) our client through the published daemon");
  const directory = throwAwayDirectory();
  const log = console.log;
  const isOurs = (line) => typeof line === "string" && /^ {2}(ok|FAIL)/.test(line);
  console.log = (...line) => isOurs(line[0]) && log(...line);
  console.warn = () => {};
  const { daemon, socketPath } = await startPublishedDaemon(directory.path);
  const members = [];
  const open = async (name, options) => {
    const member = new Member(socketPath, name, options);
    members.push(member);
    return member.connect();
  };
  try {
    const alice = await open("Alice", { cli: "claude" });
    const bob = await open("Bob");
    await messageChecks(checks, { alice, bob, open });
    await exchangeChecks(checks, { alice, bob });
    await lossChecks(checks, { alice, bob, daemon, open });
  } finally {
    await Promise.all(members.map(({ client }) => client.close()));
    await daemon.stop();
    console.log = log;
    directory.remove();
  }
}

async function messageChecks(checks, { alice, bob, open }) {
  await checks.check("direct: no receipts there, so a send is `sent`; the message arrives whole", async () => {
    const sent = await alice.client.send("Bob", "direct", { data: { n: 1 }, thread: "t", importance: 80 });
    assert.equal(sent.state, "sent");
    const { from, route, data, thread, seq } = await bob.hears("direct");
    assert.deepEqual(
      { from, route, data, thread, seq },
      { from: "Alice", route: "direct", data: { n: 1 }, thread: "t", seq: 1 },
    );
  });
  await checks.check("direct: a body that is an object arrives as it is", async () => {
    const body = { question: "2 + 2?", options: [3, 4, null] };
    await alice.client.send("Bob", body);
    const { json } = await bob.messages.next("the object", (message) => message.json !== undefined);
    assert.deepEqual(json, body);
  });
  await checks.check("broadcast and topic", async () => {
    await alice.client.send("*", "to all");
    assert.equal((await bob.hears("to all")).route, "broadcast");
    bob.client.subscribe("builds");
    await bob.client.queries.status();
    await alice.client.publish("builds", "on topic");
    assert.equal((await bob.hears("on topic")).route, "topic");
  });
  await checks.check("channel: joins are heard, posts arrive", async () => {
    alice.client.joinChannel("#dev");
    await alice.client.queries.status();
    bob.client.joinChannel("#dev");
    const joined = ({ type, name }) => type === "channel_joined" && name === "Bob";
    await alice.presence.next("the join of Bob", joined);
    await alice.client.post("#dev", "in channel", { mentions: ["Bob"] });
    const { route, channel, mentions } = await bob.hears("in channel");
    assert.deepEqual({ route, channel, mentions }, { route: "channel", channel: "#dev", mentions: ["Bob"] });
  });
  await checks.check("shadow: copies come as such", async () => {
    const shade = await open("Shade");
    shade.client.shadow("Bob");
    await shade.client.queries.status();
    await alice.client.send("Bob", "watched");
    await bob.hears("watched");
    assert.equal((await shade.hears("watched")).route, "shadow");
    await shade.client.close();
  });
}

async function exchangeChecks(checks, { alice, bob }) {
  await checks.check("sendAndWait and answer", async () => {
    const answered = alice.client.sendAndWait("Bob", "blocking", { timeoutMs: 5000 });
    assert.equal(bob.client.answer(await bob.hears("blocking"), { response: "OK", responseData: 2 }), true);
    assert.equal((await answered).responseData, 2);
  });
  await checks.check("request and respond", async () => {
    const asked = alice.client.request("Bob", "2 + 2?", { timeoutMs: 5000 });
    await bob.client.respond(await bob.hears("2 + 2?"), "4");
    assert.equal((await asked).body, "4");
  });
  await checks.check("queries: status, agents, inbox, messages, health, metrics", async () => {
    const { queries } = alice.client;
    assert.ok((await queries.status()).agentCount >= 2);
    assert.ok((await queries.connectedAgents()).some(({ name }) => name === "Bob"));
    assert.ok((await bob.client.queries.inbox()).some(({ body }) => body === "direct"));
    assert.ok((await queries.messages({ from: "Alice" })).length > 0);
    assert.ok((await queries.health()).healthScore > 0);
    assert.ok((await queries.metrics()).system.totalMemory > 0);
  });
  await checks.check("spawn: a daemon without a spawn manager refuses at once", async () => {
    const spawned = alice.client.workers.spawn({ name: "W", cli: "claude" }, { timeoutMs: 5000 });
    await assert.rejects(spawned, { code: "REMOTE_ERROR" });
  });
}

async function lossChecks(checks, { alice, bob, daemon, open }) {
  await checks.check("a cut: it comes back, what was sent meanwhile waits, topics are wanted again", async () => {
    for (const connection of [...daemon.connections]) connection.socket?.destroy();
    await until("both have lost it", () => alice.client.state !== "ready" && bob.client.state !== "ready");
    const sent = alice.client.send("Bob", "kept meanwhile");
    await until("both are back", () => alice.client.state === "ready" && bob.client.state === "ready");
    assert.equal((await sent).state, "sent");
    await bob.client.queries.status();
    await alice.client.publish("builds", "after the cut");
    await bob.hears("after the cut");
  });
  await checks.check("offline queue: a known name that is away gets its messages when it comes", async () => {
    await bob.client.close();
    await until(
      "Bob is away",
      async () => !(await alice.client.queries.connectedAgents()).some(({ name }) => name === "Bob"),
    );
    await alice.client.send("Bob", "kept by the daemon");
    await alice.client.queries.status();
    const again = await open("Bob");
    await again.hears("kept by the daemon");
  });
}
