/** Part (a): clients of the published SDK talk to each other through our daemon. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RelayClient } from "@agent-relay/sdk";
import { createDaemon } from "@daemon-sdk/local-daemon/server";
import { Arrivals, throwAwayDirectory, until } from "./conversation.mjs";
import { mcpChecks } from "./published-mcp.mjs";

/** A published client that keeps what it hears. */
class Peer {
  messages = new Arrivals();
  posts = new Arrivals();
  ready = new Arrivals();
  errors = [];

  constructor(socketPath, agentName, options = {}) {
    this.client = new RelayClient({ agentName, socketPath, quiet: true, reconnectDelayMs: 20, ...options });
    this.client.onMessage = (from, payload, id, meta, originalTo) =>
      this.messages.push({ from, ...payload, id, meta, originalTo });
    this.client.onChannelMessage = (from, channel, body) => this.posts.push({ from, channel, body });
    this.client.onAgentReady = (info) => this.ready.push(info);
    this.client.onError = (error) => this.errors.push(error);
  }

  async connect() {
    await this.client.connect();
    return this;
  }

  /** Ends the client. After its `disconnect()` it connects again, when the end of the socket comes late. */
  leave() {
    this.client.destroy();
  }

  hears(body) {
    return this.messages.next(`the message "${body}"`, (message) => message.body === body);
  }

  /** Breaks the socket under the client. */
  cut() {
    this.client.socket.destroy();
  }
}

export async function checkPublishedClients(checks) {
  console.log("(a) published clients through our daemon");
  const directory = throwAwayDirectory();
  // Published clients know no credential of a process: one that starts again could not have its name back.
  const daemon = await createDaemon({
    stateDir: join(directory.path, "state"),
    spawnManager: true,
    relayAccess: "open",
  });
  const owned = await createDaemon({ stateDir: join(directory.path, "owned") });
  const { socketPath } = daemon.endpoint;
  const peers = [];
  const open = async (name, options) => {
    const peer = new Peer(socketPath, name, options);
    peers.push(peer);
    return peer.connect();
  };
  try {
    const alice = await open("Alice", { cli: "claude", task: "demo" });
    const bob = await open("Bob");
    await messageChecks(checks, { alice, bob, open });
    await exchangeChecks(checks, { alice, bob, directory, open });
    await absenceChecks(checks, { alice, bob, open });
    const ann = await open("Ann");
    ann.leave();
    const ownedSocketPath = owned.endpoint.socketPath;
    await mcpChecks(checks, { alice, directory, socketPath, ownedSocketPath });
  } finally {
    for (const peer of peers) peer.client.destroy();
    await daemon.close({ drainMs: 0 });
    await owned.close({ drainMs: 0 });
    directory.remove();
  }
}

async function messageChecks(checks, { alice, bob, open }) {
  await checks.check("presence: who was there hears of who comes", async () => {
    await alice.ready.next("AGENT_READY of Bob", ({ name }) => name === "Bob");
  });
  await checks.check("direct: body, kind, data and thread arrive, from the name that the daemon knows", async () => {
    alice.client.sendMessage("Bob", "direct", "action", { n: 1 }, "t-1", { importance: 80 });
    const { from, kind, data, thread, meta } = await bob.hears("direct");
    assert.deepEqual({ from, kind, data, thread }, { from: "Alice", kind: "action", data: { n: 1 }, thread: "t-1" });
    assert.equal(meta.importance, 80);
  });
  await checks.check("direct: a body that is an object arrives as it is", async () => {
    const body = { question: "2 + 2?", options: [3, 4, null] };
    alice.client.sendMessage("Bob", body);
    const message = await bob.messages.next("the object", (got) => got.body?.question === "2 + 2?");
    assert.deepEqual(message.body, body);
  });
  await checks.check("broadcast: everybody but the sender hears it", async () => {
    const carl = await open("Carl");
    alice.client.broadcast("to all");
    assert.equal((await bob.hears("to all")).originalTo, "*");
    await carl.hears("to all");
    bob.client.sendMessage("Alice", "after broadcast");
    await alice.hears("after broadcast");
    assert.equal(
      alice.messages.count(({ body }) => body === "to all"),
      0,
    );
    carl.leave();
  });
  await checks.check("topic: subscribers hear it, and none after they unsubscribed", async () => {
    bob.client.subscribe("builds");
    await bob.client.getStatus();
    const publish = (body) => alice.client.send(topicMessage(body));
    publish("on topic");
    await bob.hears("on topic");
    bob.client.unsubscribe("builds");
    await bob.client.getStatus();
    publish("off topic");
    alice.client.sendMessage("Bob", "behind it");
    await bob.hears("behind it");
    assert.equal(
      bob.messages.count(({ body }) => body === "off topic"),
      0,
    );
  });
  await checks.check("channel: members hear posts, who is none cannot post", async () => {
    alice.client.joinChannel("#dev");
    bob.client.joinChannel("#dev");
    await bob.client.getStatus();
    alice.client.sendChannelMessage("#dev", "in channel", { mentions: ["Bob"] });
    const isOurs = ({ channel, body }) => channel === "#dev" && body === "in channel";
    assert.equal((await bob.posts.next("the post", isOurs)).from, "Alice");
  });
  await checks.check("shadow: copies of what the primary sends and receives", async () => {
    const shadow = await open("Shade");
    shadow.client.bindAsShadow("Bob");
    await shadow.client.getStatus();
    alice.client.sendMessage("Bob", "watched");
    await bob.hears("watched");
    const { data, originalTo } = await shadow.hears("watched");
    assert.equal(data._shadowCopy, true);
    assert.equal(originalTo, "Bob");
    shadow.leave();
  });
}

function topicMessage(body) {
  const id = `topic-${body}`;
  return { v: 1, type: "SEND", id, ts: Date.now(), to: "*", topic: "builds", payload: { kind: "message", body } };
}

async function exchangeChecks(checks, { alice, bob, directory, open }) {
  await checks.check("sendAndWait: the addressee's ACK comes back", async () => {
    const answered = alice.client.sendAndWait("Bob", "blocking", { timeoutMs: 5000 });
    const { id, meta } = await bob.hears("blocking");
    const { correlationId } = meta.sync;
    bob.client.sendAck({ ack_id: id, seq: 1, correlationId, response: "OK", responseData: { n: 2 } });
    const answer = await answered;
    assert.deepEqual([answer.response, answer.responseData], ["OK", { n: 2 }]);
  });
  await checks.check("sendAndWait: an ACK of the correlation id alone is the answer", async () => {
    const answered = alice.client.sendAndWait("Bob", "answer briefly", { timeoutMs: 5000 });
    const { correlationId } = (await bob.hears("answer briefly")).meta.sync;
    bob.client.sendAck({ correlationId, response: "OK" });
    assert.equal((await answered).response, "OK");
  });
  await checks.check("request and respond", async () => {
    const asked = alice.client.request("Bob", "what is 2 + 2?", { timeout: 5000 });
    const { data } = await bob.hears("what is 2 + 2?");
    bob.client.respond(data._correlationId, "Alice", "4");
    assert.equal((await asked).body, "4");
  });
  await checks.check("queries: status, agents, connected agents, health, metrics", async () => {
    const { agentCount, storage } = await alice.client.getStatus();
    assert.ok(agentCount >= 2);
    assert.equal(storage.persistent, true);
    for (const list of [await alice.client.listAgents(), await alice.client.listConnectedAgents()]) {
      assert.ok(list.some(({ name, cli }) => name === "Alice" && cli === "claude"));
    }
    assert.ok((await alice.client.getHealth()).healthScore > 0);
    assert.ok((await alice.client.getMetrics()).system.totalMemory > 0);
  });
  await checks.check("queries: inbox and messages hold what was sent", async () => {
    const inbox = await bob.client.getInbox({ limit: 100 });
    assert.ok(inbox.some(({ from, body }) => from === "Alice" && body === "direct"));
    const found = await alice.client.queryMessages({ from: "Alice", to: "Bob" });
    assert.ok(found.some(({ body }) => body === "direct"));
  });
  await checks.check("queries: an agent that is connected can be removed", async () => {
    const gone = await open("Gone");
    assert.equal((await alice.client.removeAgent("Gone")).removed, true);
    await until("Gone is gone", () => gone.client.state === "DISCONNECTED");
  });
  await checks.check("a component of the daemon's system has its reserved name", async () => {
    const component = await open("Dashboard", { _isSystemComponent: true });
    component.client.sendMessage("Alice", "from the dashboard");
    assert.equal((await alice.hears("from the dashboard")).from, "Dashboard");
    component.leave();
  });
  await checks.check("queries: an agent that is gone can be removed", async () => {
    const isThere = async () => (await alice.client.listConnectedAgents()).some(({ name }) => name === "Carl");
    await until("Carl is gone", async () => !(await isThere()));
    assert.equal((await alice.client.removeAgent("Carl")).removed, true);
    assert.ok(!(await alice.client.listAgents({ includeIdle: true })).some(({ name }) => name === "Carl"));
  });
  await checks.check(
    "spawn: a stdio agent starts, takes a message as its prompt, answers, and is released",
    async () => {
      const request = { name: "Worker", cli: "workspace-agent", cwd: directory.path };
      const spawned = await alice.client.spawn(request, 20_000);
      assert.equal(spawned.success, true, spawned.error);
      alice.client.sendMessage("Worker", "say hello from the worker", "message", undefined, "w-1");
      const answer = await alice.messages.next("the worker's answer", ({ from }) => from === "Worker");
      assert.match(answer.body, /hello from the worker/);
      assert.equal(answer.thread, "w-1");
      assert.equal((await alice.client.release("Worker")).success, true);
      const connected = await alice.client.listConnectedAgents();
      assert.ok(!connected.some(({ name }) => name === "Worker"));
    },
  );
}

async function absenceChecks(checks, { alice, bob, open }) {
  await checks.check("resume: after a cut the session goes on, and what was sent meanwhile arrives", async () => {
    const session = bob.client.currentSessionId;
    bob.cut();
    await until("Bob is away", () => bob.client.state !== "READY");
    alice.client.sendMessage("Bob", "while you were away");
    await until("Bob is back", () => bob.client.state === "READY");
    await bob.hears("while you were away");
    assert.equal(bob.client.currentSessionId, session);
  });
  await checks.check("offline: a name that is known and away gets its messages when it comes", async () => {
    const first = await open("Dora");
    first.leave();
    await until("Dora is away", async () => {
      const connected = await alice.client.listConnectedAgents();
      return !connected.some(({ name }) => name === "Dora");
    });
    for (let n = 0; n < 300; n += 1) alice.client.sendMessage("Dora", `kept ${n}`);
    await alice.client.getStatus();
    const second = await open("Dora");
    const { data } = await second.hears("kept 0");
    assert.equal(data._offlineQueued, true);
    await second.hears("kept 299");
    second.leave();
  });
  await checks.check("same name twice: the newcomer stays, the old one is told and does not come back", async () => {
    const old = await open("Twin");
    const young = await open("Twin");
    await until("the old twin is gone", () => old.client.state === "DISCONNECTED");
    alice.client.sendMessage("Twin", "which one?");
    await young.hears("which one?");
    assert.equal(
      old.messages.count(() => true),
      0,
    );
    young.leave();
  });
}
