import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RelayClient, type RelayClientOptions, type RelayMessage } from "../../src/relay.js";
import { type HubLink, TinyHub } from "./tiny-hub.js";

let hub: TinyHub;
let clients: RelayClient[];
beforeEach(async () => {
  clients = [];
  hub = await TinyHub.open();
});
afterEach(async () => {
  vi.useRealTimers();
  const closing = clients.map((client) => client.close());
  await hub[Symbol.asyncDispose]();
  await Promise.all(closing);
});

function makeClient(options: RelayClientOptions = {}): RelayClient {
  const client = new RelayClient({ agentName: "Alice", socketPath: hub.socketPath, ...options });
  clients.push(client);
  return client;
}

async function connect(
  options: RelayClientOptions = {},
  welcome: Parameters<HubLink["welcome"]>[0] = {},
): Promise<{ client: RelayClient; link: HubLink; hello: Record<string, unknown> }> {
  const client = makeClient(options);
  const connected = client.connect();
  const link = await hub.link();
  const hello = (await link.next("HELLO")).payload;
  link.welcome(welcome);
  await connected;
  return { client, link, hello };
}

/** Takes the client back after its link was cut. */
async function comeBack(welcome: Parameters<HubLink["welcome"]>[0] = {}) {
  const link = await hub.link();
  const hello = (await link.next("HELLO")).payload;
  link.welcome(welcome);
  return { link, hello };
}

async function take(messages: AsyncIterator<RelayMessage>, count: number): Promise<RelayMessage[]> {
  const taken: RelayMessage[] = [];
  while (taken.length < count) taken.push((await messages.next()).value as RelayMessage);
  return taken;
}

describe("connecting", () => {
  test("HELLO says who connects and asks for receipts", async () => {
    const { client, hello } = await connect({ cli: "claude", task: "demo", team: "core" });
    expect(hello).toEqual({
      agent: "Alice",
      cli: "claude",
      task: "demo",
      team: "core",
      capabilities: {
        ack: true,
        resume: true,
        max_inflight: 256,
        supports_topics: true,
        batches: true,
        receipts: true,
      },
    });
    expect([client.state, client.sessionId, client.isResumed]).toEqual(["ready", "s-1", false]);
  });

  test("nobody there is CONNECTION_FAILED at once, and connect may be called again", async () => {
    await hub.stop();
    const client = makeClient();
    await expect(client.connect()).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
    expect(client.state).toBe("idle");
    await hub.listen();
    const connected = client.connect();
    (await hub.link()).welcome();
    await connected;
  });

  test("a daemon that does not answer HELLO is CONNECT_TIMEOUT", async () => {
    const client = makeClient({ connectTimeoutMs: 30 });
    await expect(client.connect()).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
    await (await hub.link()).ended;
  });

  test("an aborted connect rejects with the reason and leaves no link", async () => {
    const controller = new AbortController();
    const client = makeClient();
    const connected = client.connect({ signal: controller.signal });
    const link = await hub.link();
    await link.next("HELLO");
    controller.abort(new RangeError("enough"));
    await expect(connected).rejects.toThrow("enough");
    await link.ended;
  });

  test.each([
    ["DUPLICATE_CONNECTION", "NAME_TAKEN"],
    ["UNAUTHORIZED", "AUTH_REJECTED"],
    ["BAD_REQUEST", "CONNECTION_LOST"],
  ])("a fatal %s ends the client with %s, and it does not come back", async (code, expected) => {
    const { client, link } = await connect();
    const messages = client.messages();
    link.send("ERROR", { code, message: "go away", fatal: true });
    expect(await client.closed).toMatchObject({ code: expected });
    await expect(messages.next()).rejects.toMatchObject({ code: expected });
    await link.ended;
    expect([client.state, hub.linkCount]).toEqual(["closed", 1]);
  });

  test("a fatal ERROR before WELCOME rejects connect", async () => {
    const client = makeClient({ agentName: "system" });
    const connected = client.connect();
    const link = await hub.link();
    link.send("ERROR", { code: "BAD_REQUEST", message: "reserved", fatal: true });
    await expect(connected).rejects.toThrow("reserved");
    expect(client.state).toBe("closed");
  });

  test("close says BYE, resolves when the link is gone, and later calls reject", async () => {
    const { client, link } = await connect();
    const closing = client.close();
    await link.next("BYE");
    await closing;
    expect(await client.closed).toBeUndefined();
    await expect(client.send("Bob", "late")).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
    await expect(client.connect()).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
  });

  test.each([0, 8])(
    "close waits a moment only for a daemon that does not read; %i messages come once it does (F13)",
    async (count) => {
      const { client, link } = await connect();
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      link.pause();
      // More than a socket takes at once.
      for (let number = 0; number < count; number += 1) client.send("Bob", "x".repeat(100_000)).catch(() => {});
      const closing = client.close();
      await vi.advanceTimersByTimeAsync(50);
      await closing;
      link.resume();
      await link.next("BYE");
      expect(link.received.filter(({ type }) => type === "SEND")).toHaveLength(count);
      await vi.advanceTimersByTimeAsync(2_000);
      await link.ended;
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test("await using closes", async () => {
    const client = makeClient();
    {
      await using mine = client;
      const connected = mine.connect();
      (await hub.link()).welcome();
      await connected;
    }
    expect(client.state).toBe("closed");
  });

  test("pings are answered with their nonce, and a silent daemon counts as gone", async () => {
    const { link } = await connect({}, { heartbeatMs: 10 });
    link.send("PING", { nonce: "n-1" });
    expect((await link.next("PONG")).payload).toEqual({ nonce: "n-1" });
    await link.ended;
    await comeBack();
  });

  test.each([
    [{ agentName: "" }, "agentName"],
    [{ maxQueued: -1 }, "maxQueued"],
    [{ url: "ws://x/" }, "socketPath"],
  ])("a wrong option is refused before anything is done: %o", (options, option) => {
    expect(() => makeClient(options)).toThrow(expect.objectContaining({ code: "INVALID_OPTION", option }));
  });
});

describe("sending", () => {
  test.each(["delivered", "queued"] as const)("resolves with the receipt: %s", async (state) => {
    const { client, link } = await connect();
    const sent = client.send("Bob", "hi", { thread: "t", data: { n: 1 }, importance: 80 });
    const send = await link.next("SEND");
    expect(send).toMatchObject({
      to: "Bob",
      payload: { kind: "message", body: "hi", thread: "t", data: { n: 1 } },
      payload_meta: { importance: 80 },
    });
    link.send("RECEIPT", { ref_id: send.id, state, to: "Bob" });
    expect(await sent).toEqual({ id: send.id, state });
  });

  test("an ERROR or BUSY that names the message is its refusal", async () => {
    const { client, link } = await connect();
    const sent = [client.send("Zed", "a"), client.send("Bob", "b")];
    const [a, b] = [await link.next("SEND"), await link.next("SEND")];
    link.send("ERROR", { code: "NOT_FOUND", message: "no Zed", fatal: false, ref_id: a.id });
    link.send("RECEIPT", { ref_id: a.id, state: "refused", to: "Zed" });
    link.send("BUSY", { retry_after_ms: 40, queue_depth: 9, ref_id: b.id });
    const [first, second] = await Promise.all(sent);
    expect(first).toMatchObject({ state: "refused", code: "NOT_FOUND", reason: "no Zed" });
    expect(second).toMatchObject({ state: "refused", code: "BUSY", retryAfterMs: 40 });
  });

  test("a daemon without receipts gives `sent` once the bytes have left", async () => {
    const { client, link } = await connect({}, { receipts: false });
    expect(await client.send("Bob", "hi")).toMatchObject({ state: "sent" });
    await link.next("SEND");
  });

  test("what is sent while away waits, leaves in order, and gets its receipts", async () => {
    const { client, link } = await connect();
    const lost = new Promise((resolve) => {
      client.onError = resolve;
    });
    link.cut();
    expect(await lost).toMatchObject({ code: "CONNECTION_LOST" });
    const sent = [client.send("Bob", "one"), client.send("Bob", "two")];
    expect(client.queuedMessages).toBe(2);
    const { link: second } = await comeBack();
    for (const body of ["one", "two"]) {
      const send = await second.next("SEND");
      expect(send.payload.body).toBe(body);
      second.send("RECEIPT", { ref_id: send.id, state: "delivered", to: "Bob" });
    }
    expect((await Promise.all(sent)).map(({ state }) => state)).toEqual(["delivered", "delivered"]);
  });

  test("the queue is bounded in messages and in bytes", async () => {
    const client = makeClient({ maxQueued: 2, maxQueuedBytes: 1000 });
    const kept = [client.send("Bob", "a"), client.send("Bob", "b")];
    await expect(client.send("Bob", "c")).rejects.toMatchObject({ code: "QUEUE_FULL", retryable: true });
    const other = makeClient({ maxQueuedBytes: 1000 });
    await expect(other.send("Bob", "x".repeat(1000))).rejects.toMatchObject({ code: "QUEUE_FULL" });
    const settled = Promise.allSettled(kept);
    await client.close();
    expect(await settled).toMatchObject([
      { status: "rejected", reason: { code: "CONNECTION_CLOSED" } },
      { status: "rejected", reason: { code: "CONNECTION_CLOSED" } },
    ]);
  });

  test("a message whose receipt was lost with the link rejects, and is not sent again", async () => {
    const { client, link } = await connect();
    const sent = client.send("Bob", "maybe");
    await link.next("SEND");
    link.cut();
    await expect(sent).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    const { link: second } = await comeBack();
    const later = client.send("Bob", "sure");
    const send = await second.next("SEND");
    expect(send.payload.body).toBe("sure");
    second.send("RECEIPT", { ref_id: send.id, state: "queued", to: "Bob" });
    await later;
  });

  test("an aborted send that still waits never leaves", async () => {
    const client = makeClient();
    const controller = new AbortController();
    const gone = client.send("Bob", "no", { signal: controller.signal });
    const kept = client.send("Bob", "yes");
    controller.abort(new RangeError("never mind"));
    await expect(gone).rejects.toThrow("never mind");
    const connected = client.connect();
    const link = await hub.link();
    link.welcome({ receipts: false });
    await connected;
    expect((await link.next("SEND")).payload.body).toBe("yes");
    await kept;
  });

  test("a message over the daemon's frame limit rejects and costs no other", async () => {
    const { client, link } = await connect();
    await expect(client.send("Bob", "x".repeat(1_100_000))).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
    const sent = client.send("Bob", "small");
    const send = await link.next("SEND");
    link.send("RECEIPT", { ref_id: send.id, state: "delivered", to: "Bob" });
    await sent;
  });
});

describe("receiving", () => {
  test("a message is acknowledged when the next one is asked for, not before", async () => {
    const { client, link } = await connect();
    const messages = client.messages();
    link.deliver("one", { id: "d-1", seq: 1 });
    link.deliver("two", { id: "d-2", seq: 2 });
    const [one] = await take(messages, 1);
    expect(one).toMatchObject({ id: "d-1", from: "Bob", to: "Alice", route: "direct", body: "one", seq: 1 });
    link.send("PING", { nonce: "n" });
    await link.next("PONG");
    expect(link.received.filter(({ type }) => type === "ACK")).toEqual([]);
    await take(messages, 1);
    expect((await link.next("ACK")).payload).toEqual({ ack_id: "d-1", seq: 1 });
    await messages.return?.();
    expect((await link.next("ACK")).payload).toEqual({ ack_id: "d-2", seq: 2 });
  });

  test("one that is delivered again is handled once: dropped while in hand, acknowledged again afterwards", async () => {
    const { client, link } = await connect();
    const messages = client.messages();
    link.deliver("one", { id: "d-1" });
    await take(messages, 1);
    link.deliver("one", { id: "d-1" });
    link.deliver("two", { id: "d-2", seq: 2 });
    expect((await take(messages, 1))[0]?.body).toBe("two");
    await link.next("ACK");
    link.deliver("one", { id: "d-1" });
    expect((await link.next("ACK")).payload).toMatchObject({ ack_id: "d-1" });
  });

  test("ids survive a reconnect", async () => {
    const { client, link } = await connect();
    const messages = client.messages();
    link.deliver("one", { id: "d-1" });
    await take(messages, 1);
    link.cut();
    const next = messages.next();
    const { link: second, hello } = await comeBack();
    expect(hello.session).toEqual({ resume_token: "t-1" });
    second.deliver("one", { id: "d-1" });
    expect((await second.next("ACK")).payload).toMatchObject({ ack_id: "d-1" });
    second.deliver("two", { id: "d-2" });
    expect(await next).toMatchObject({ value: { body: "two" } });
    expect(client.isResumed).toBe(true);
  });

  test("the last 2000 handled ids are known, and those of 4000 before are forgotten", async () => {
    const { client, link } = await connect();
    const messages = client.messages();
    for (let n = 0; n <= 4000; n += 1) link.deliver("first", { id: `d-${n}`, seq: n + 1 });
    await take(messages, 4001);
    const next = messages.next();
    link.deliver("known", { id: "d-2001" });
    link.deliver("again", { id: "d-0" });
    expect(await next).toMatchObject({ value: { body: "again" } });
  });

  test.each([
    [{ delivery: { seq: 1, session_id: "s", originalTo: "*" } }, "broadcast", "*"],
    [{ topic: "builds", delivery: { seq: 1, session_id: "s", originalTo: "*" } }, "topic", "*"],
    [{ delivery: { seq: 1, session_id: "s", originalTo: "@users" } }, "broadcast", "@users"],
  ])("says how it came: %o", async (fields, route, to) => {
    const { client, link } = await connect();
    link.send("DELIVER", { kind: "message", body: "x" }, { from: "Bob", to: "Alice", ...fields });
    expect((await take(client.messages(), 1))[0]).toMatchObject({ route, to });
  });

  test("channel posts and shadow copies come along; posts are not acknowledged", async () => {
    const { client, link } = await connect();
    const messages = client.messages();
    link.send("CHANNEL_MESSAGE", { channel: "#dev", body: "hey", mentions: ["Alice"] }, { from: "Bob", id: "c-1" });
    link.deliver("copy", { id: "d-1", data: { _shadowCopy: true, _shadowOf: "Carl" } });
    const [post, copy] = await take(messages, 2);
    expect(post).toMatchObject({ route: "channel", channel: "#dev", from: "Bob", mentions: ["Alice"] });
    expect(copy).toMatchObject({ route: "shadow" });
    await messages.return?.();
    expect((await link.next("ACK")).payload).toMatchObject({ ack_id: "d-1" });
    expect(link.received.filter(({ type }) => type === "ACK")).toEqual([]);
  });

  test("there is one consumer at a time; the signal ends it and leaves what waits to the next", async () => {
    const { client, link } = await connect();
    const controller = new AbortController();
    const first = client.messages({ signal: controller.signal });
    expect(() => client.messages()).toThrow(expect.objectContaining({ code: "CONCURRENT_STREAM" }));
    const waiting = first.next();
    controller.abort();
    expect((await waiting).done).toBe(true);
    link.deliver("still here");
    expect((await take(client.messages(), 1))[0]?.body).toBe("still here");
  });

  test("what there is no room for is left to redelivery, and told", async () => {
    const { client, link } = await connect({ maxBufferedBytes: 1000 });
    const full = new Promise((resolve) => {
      client.onError = resolve;
    });
    link.deliver("a".repeat(300), { id: "d-1" });
    link.deliver("b".repeat(300), { id: "d-2", seq: 2 });
    expect(await full).toMatchObject({ code: "SLOW_CONSUMER" });
    const messages = client.messages();
    expect((await take(messages, 1))[0]?.id).toBe("d-1");
    const second = messages.next();
    link.deliver("b".repeat(300), { id: "d-2", seq: 2 });
    expect(await second).toMatchObject({ value: { id: "d-2" } });
  });

  test("a type that nobody knows and a DELIVER without its sender are ignored", async () => {
    const { client, link } = await connect();
    link.send("DELIVER", { kind: "message", body: "no sender" }, {});
    link.send("STATE", {});
    link.deliver("good");
    expect((await take(client.messages(), 1))[0]?.body).toBe("good");
  });
});

describe("exchanges", () => {
  test("sendAndWait resolves with the ACK that carries its correlation", async () => {
    const { client, link } = await connect();
    const answered = client.sendAndWait("Bob", "ready?", { timeoutMs: 5000 });
    const send = await link.next("SEND");
    expect(send.payload_meta).toEqual({ sync: { correlationId: send.id, timeoutMs: 5000, blocking: true } });
    link.send("RECEIPT", { ref_id: send.id, state: "delivered", to: "Bob" });
    link.send(
      "ACK",
      { ack_id: "d", seq: 1, correlationId: send.id, response: "OK", responseData: 42 },
      { from: "Bob" },
    );
    expect(await answered).toMatchObject({ response: "OK", responseData: 42 });
  });

  test("sendAndWait rejects when the addressee is unknown, when the time is up, and when the link is lost", async () => {
    const { client, link } = await connect();
    const unknown = client.sendAndWait("Zed", "a");
    const send = await link.next("SEND");
    link.send("ERROR", { code: "NOT_FOUND", message: "no Zed", fatal: false, ref_id: send.id });
    await expect(unknown).rejects.toMatchObject({ code: "RECIPIENT_NOT_FOUND" });
    await expect(client.sendAndWait("Bob", "b", { timeoutMs: 20 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
    const lost = client.sendAndWait("Bob", "c");
    await link.next("SEND");
    link.cut();
    await expect(lost).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await comeBack();
  });

  test("answer sends an ACK that carries the sender's correlation", async () => {
    const { client, link } = await connect();
    const sync = { correlationId: "c-1", blocking: true };
    const delivery = { seq: 3, session_id: "s-1" };
    link.send("DELIVER", { kind: "message", body: "?" }, { id: "d-1", from: "Bob", delivery, payload_meta: { sync } });
    const [message] = await take(client.messages(), 1);
    if (message === undefined) return expect.unreachable();
    expect(client.answer(message, { response: "ACCEPTED" })).toBe(true);
    expect((await link.next("ACK")).payload).toEqual({
      ack_id: "d-1",
      seq: 3,
      correlationId: "c-1",
      response: "ACCEPTED",
    });
  });

  test("request resolves with the response, which is acknowledged and does not show among the messages", async () => {
    const { client, link } = await connect();
    const asked = client.request("Bob", "2 + 2", { data: { n: 1 } });
    const send = await link.next("SEND");
    expect(send).toMatchObject({
      payload_meta: { replyTo: send.id },
      payload: { data: { n: 1, _correlationId: send.id } },
    });
    link.send("RECEIPT", { ref_id: send.id, state: "queued", to: "Bob" });
    link.deliver("4", { id: "d-9", data: { _correlationId: send.id, _isResponse: true } });
    expect(await asked).toMatchObject({ body: "4" });
    expect((await link.next("ACK")).payload).toMatchObject({ ack_id: "d-9" });
    link.deliver("next");
    expect((await take(client.messages(), 1))[0]?.body).toBe("next");
  });

  test("a request goes on over a reconnect", async () => {
    const { client, link } = await connect();
    const asked = client.request("Bob", "2 + 2");
    const send = await link.next("SEND");
    link.cut();
    const { link: second } = await comeBack();
    second.deliver("4", { data: { _correlationId: send.id, _isResponse: true } });
    expect(await asked).toMatchObject({ body: "4" });
  });

  test("respond goes to the asker, in its thread, in both forms that clients look for", async () => {
    const { client, link } = await connect({}, { receipts: false });
    const delivery = { seq: 1, session_id: "s-1" };
    const payload = { kind: "message", body: "?", thread: "t-1", data: { _correlationId: "r-1" } };
    link.send("DELIVER", payload, { from: "Bob", to: "Alice", delivery });
    const [message] = await take(client.messages(), 1);
    if (message === undefined) return expect.unreachable();
    await client.respond(message, "!");
    expect(await link.next("SEND")).toMatchObject({
      to: "Bob",
      payload: { body: "!", thread: "t-1", data: { _correlationId: "r-1", _isResponse: true } },
      payload_meta: { replyTo: "r-1" },
    });
  });

  test("queries are answered under their own id", async () => {
    const { client, link } = await connect();
    const inbox = client.queries.inbox({ limit: 5 });
    const { id, payload } = await link.next("INBOX");
    expect(payload).toEqual({ limit: 5 });
    const messages = [{ id: "m", from: "Bob", body: "x", timestamp: 1 }];
    link.send("INBOX_RESPONSE", { messages }, { id });
    expect(await inbox).toEqual(messages);
  });

  test("an answer of the wrong shape is INVALID_RESULT, none is REQUEST_TIMEOUT", async () => {
    const { client, link } = await connect();
    const status = client.queries.status();
    const { id } = await link.next("STATUS");
    link.send("STATE", {}, { id });
    await expect(status).rejects.toMatchObject({ code: "INVALID_RESULT" });
    await expect(client.queries.health({ timeoutMs: 20 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  });

  test("spawn resolves with the result that replies to it, and rejects with the daemon's reason", async () => {
    const { client, link } = await connect();
    const good = client.workers.spawn({ name: "W", cli: "claude", cwd: "/x" });
    const spawn = await link.next("SPAWN");
    expect(spawn.payload).toEqual({ name: "W", cli: "claude", cwd: "/x", task: "" });
    link.send("SPAWN_RESULT", { replyTo: spawn.id, success: true, name: "W", pid: 7 });
    expect(await good).toMatchObject({ pid: 7 });
    const bad = client.workers.release("V");
    const release = await link.next("RELEASE");
    link.send("RELEASE_RESULT", { replyTo: release.id, success: false, name: "V", error: "Agent V not found" });
    await expect(bad).rejects.toThrow("Agent V not found");
  });

  test("a plain daemon without a spawn manager names no request; the spawn still rejects at once", async () => {
    const { client, link } = await connect({}, { receipts: false });
    const spawned = client.workers.spawn({ name: "W", cli: "claude" });
    await link.next("SPAWN");
    const message = "SpawnManager not enabled. Configure spawnManager: true in daemon config.";
    link.send("ERROR", { code: "INTERNAL", message, fatal: false });
    await expect(spawned).rejects.toMatchObject({ code: "REMOTE_ERROR" });
  });
});

describe("standing wishes and presence", () => {
  test("topics, channels and the shadowed agent are said again to each new connection, what was taken back is not", async () => {
    const { client, link } = await connect();
    client.subscribe("builds");
    client.subscribe("noise");
    client.joinChannel("#dev", { displayName: "A" });
    client.shadow("Carl");
    client.unsubscribe("noise");
    for (const type of ["SUBSCRIBE", "SUBSCRIBE", "CHANNEL_JOIN", "SHADOW_BIND", "UNSUBSCRIBE"] as const)
      await link.next(type);
    link.cut();
    const { link: second } = await comeBack();
    expect((await second.next("SUBSCRIBE")).topic).toBe("builds");
    expect((await second.next("CHANNEL_JOIN")).payload).toEqual({ channel: "#dev", displayName: "A" });
    expect((await second.next("SHADOW_BIND")).payload).toEqual({ primaryAgent: "Carl" });
    expect(second.received.filter(({ type }) => type === "SUBSCRIBE")).toEqual([]);
  });

  test("a resume that is too old goes on with a new session", async () => {
    const { client, link } = await connect();
    link.cut();
    const second = await hub.link();
    await second.next("HELLO");
    second.send("ERROR", { code: "RESUME_TOO_OLD", message: "unknown", fatal: false });
    second.welcome({ session: "s-2", token: "t-2" });
    second.deliver("hello again");
    expect((await take(client.messages(), 1))[0]?.body).toBe("hello again");
    expect([client.sessionId, client.isResumed]).toEqual(["s-2", false]);
    second.cut();
    const { hello } = await comeBack();
    expect(hello.session).toEqual({ resume_token: "t-2" });
  });

  test("it hears who comes and who joins a channel, and can wait for a name", async () => {
    const { client, link } = await connect();
    const events: unknown[] = [];
    client.onPresence = (event) => events.push(event);
    const here = client.waitForAgent("Bob");
    const { id } = await link.next("LIST_CONNECTED_AGENTS");
    link.send("LIST_CONNECTED_AGENTS_RESPONSE", { agents: [] }, { id });
    link.send("CHANNEL_JOIN", { channel: "#dev" }, { from: "Carl" });
    link.send("AGENT_READY", { name: "Bob", cli: "codex", connectedAt: 1 });
    await here;
    expect(events).toEqual([
      { type: "channel_joined", name: "Carl", channel: "#dev" },
      { type: "agent_ready", name: "Bob", cli: "codex" },
    ]);
  });

  test("it gives up after the attempts it was given, with the reason", async () => {
    const { client, link } = await connect({ maxReconnectAttempts: 1 });
    link.cut();
    await hub.stop();
    expect(await client.closed).toMatchObject({ code: "CONNECTION_LOST" });
    expect(client.state).toBe("closed");
  });
});
