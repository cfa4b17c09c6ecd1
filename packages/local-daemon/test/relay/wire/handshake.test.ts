import { createEnvelope, encodeFrame } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { query, RelayDaemon, sendOf } from "../relay-daemon.js";

function hello(agent: unknown, payload: object = {}) {
  return createEnvelope("HELLO", { agent, ...payload } as { agent: string });
}

describe("HELLO", () => {
  test("is answered by WELCOME with a session, a token of its own, and the daemon's bounds", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.dial();
    const welcome = await alice.hello("Alice");
    const bounds = { max_frame_bytes: 1_048_576, heartbeat_ms: 5000 };
    expect(welcome.payload.server).toEqual({ ...bounds, receipts: true, batches: true });
    expect(welcome.payload.session_id).toMatch(/^[0-9a-f-]{36}$/);
    // 128 random bits in base64url.
    expect(welcome.payload.resume_token).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  test("of any version is taken, and unknown fields and types are ignored", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.dial();
    alice.write({ ...hello("Alice", { more: [1] }), v: 9 });
    await alice.next("WELCOME");
    alice.write({ ...createEnvelope("BYE", {}), type: "SOMETHING_NEW" });
    await alice.settled();
    expect(alice.isEnded).toBe(false);
  });

  test("a second time is refused, and the connection stays", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const again = hello("Alice");
    alice.write(again);
    const { payload } = await alice.next("ERROR");
    expect(payload).toEqual({
      code: "BAD_REQUEST",
      message: "Unexpected HELLO",
      fatal: false,
      ref_id: again.id,
      replyTo: again.id,
    });
    await alice.settled();
    expect(alice.isEnded).toBe(false);
  });

  test.each(["Dashboard", "cli", "system", "_router"])(
    "under the reserved name %s ends in a fatal ERROR",
    async (name) => {
      await using daemon = await RelayDaemon.start();
      const peer = await daemon.dial();
      // Under the other two names the daemon itself sends.
      peer.write(hello(name, { _isSystemComponent: name === "system" || name === "_router" }));
      await peer.ended();
      expect(peer.seen.map(({ type }) => type)).toEqual(["ERROR", "BYE"]);
      expect(peer.seen[0]?.payload).toMatchObject({
        code: "BAD_REQUEST",
        message: `Agent name "${name}" is reserved for system use`,
        fatal: true,
      });
    },
  );

  test.each(["Dashboard", "cli"])(
    "under the name %s is for the component of that name on the unix socket",
    async (name) => {
      await using daemon = await RelayDaemon.start();
      const alice = await daemon.connect("Alice");
      const component = await daemon.connect(name, { _isSystemComponent: true });
      component.send("Alice", "hello");
      expect(await alice.next("DELIVER")).toMatchObject({ from: name, payload: { body: "hello" } });
      expect((await query(alice, "LIST_AGENTS")).payload.agents).toEqual([{ name: "Alice", idle: false }]);
    },
  );

  test.each(["", " a", "a\u0000b", "a\nb", "*", "@users", "#general", "x".repeat(129)])(
    "under the name %j, which nobody can have, ends in a fatal ERROR",
    async (name) => {
      await using daemon = await RelayDaemon.start();
      const peer = await daemon.dial();
      const envelope = hello(name);
      peer.write(envelope);
      await peer.ended();
      expect(peer.seen.map(({ type }) => type)).toEqual(["ERROR", "BYE"]);
      expect(peer.seen[0]?.payload).toMatchObject({ code: "BAD_REQUEST", fatal: true, ref_id: envelope.id });
    },
  );

  test.each([{ payload: {} }, { payload: { agent: 7 } }])(
    "without a name ends in a fatal ERROR: %j",
    async (fields) => {
      await using daemon = await RelayDaemon.start();
      const peer = await daemon.dial();
      peer.write({ ...hello("x"), ...fields });
      await peer.ended();
      expect(peer.seen.map(({ type }) => type)).toEqual(["ERROR", "BYE"]);
      expect(peer.seen[0]?.payload.message).toMatch(/^Frame error: /);
    },
  );

  test("has to come in time", async () => {
    await using daemon = await RelayDaemon.start({ limits: { relayHandshakeMs: 50 } });
    const peer = await daemon.dial();
    peer.write(createEnvelope("PONG", { nonce: "x" }));
    await peer.ended();
    expect(peer.seen.map(({ type }) => type)).toEqual(["ERROR", "BYE"]);
    expect(peer.seen[0]?.payload).toMatchObject({ code: "TIMEOUT", fatal: false });
  });
});

describe("before HELLO", () => {
  test("every send and every query of messages is refused with an ERROR that names it", async () => {
    await using daemon = await RelayDaemon.start();
    const peer = await daemon.dial();
    const early = [
      sendOf("Bob", "hi"),
      // What the one-shot helper of the original sends.
      sendOf("Bob", "hi", { from: "Alice" }),
      createEnvelope("INBOX", { agent: "Alice" }),
      createEnvelope("MESSAGES_QUERY", {}),
      createEnvelope("SPAWN", { name: "W", cli: "workspace-agent", task: "" }),
      createEnvelope("CHANNEL_JOIN", { channel: "#dev", member: "Mallory" }),
    ];
    peer.write(...early, createEnvelope("ACK", { ack_id: "x", seq: 1 }), createEnvelope("PONG", { nonce: "x" }));
    await peer.hello("Carol");
    expect(peer.all("ERROR").map(({ payload }) => payload)).toEqual(
      early.map(({ id }) => ({
        ...{ code: "BAD_REQUEST", message: "Not in ACTIVE state", fatal: false },
        ...{ ref_id: id, replyTo: id },
      })),
    );
  });

  test("on the unix socket, queries about agents and the daemon are answered, without PINGs", async () => {
    await using daemon = await RelayDaemon.start({ limits: { relayHandshakeMs: 60, relayHeartbeatMs: 30 } });
    const alice = await daemon.connect("Alice");
    const peer = await daemon.dial();
    expect((await query(peer, "STATUS")).payload).toMatchObject({ agentCount: 1 });
    for (const type of ["LIST_AGENTS", "LIST_CONNECTED_AGENTS"] as const) {
      expect((await query(peer, type)).payload.agents).toEqual([{ name: "Alice", idle: false }]);
    }
    expect((await query(peer, "HEALTH")).payload).toMatchObject({ healthScore: 100 });
    expect((await query(peer, "METRICS")).payload).toMatchObject({ agents: [] });
    // A peer that is active has had its PINGs, and the time for HELLO is over.
    await alice.next("PING", 3);
    expect(peer.all("PING")).toEqual([]);
    expect(alice.all("AGENT_READY")).toEqual([]);
    await peer.hello("Carol");
    alice.send("Carol", "hi");
    expect((await peer.next("DELIVER")).payload.body).toBe("hi");
  });

  test("where names have no owner, a one-shot client sends, waits for its answer, and reads messages", async () => {
    await using daemon = await RelayDaemon.start({ relayAccess: "open" });
    const bob = await daemon.connect("Bob");
    const peer = await daemon.dial();
    const sync = { correlationId: "c-1", blocking: true, timeoutMs: 5000 };
    peer.write(sendOf("Bob", "ready?", { from: "Ann", payload_meta: { sync } }));
    const { from, payload } = await bob.next("DELIVER");
    expect([from, payload.body]).toEqual(["Ann", "ready?"]);
    bob.write(createEnvelope("ACK", { correlationId: "c-1", response: "OK", responseData: "yes" }));
    expect((await peer.next("ACK")).payload).toMatchObject({ correlationId: "c-1", responseData: "yes" });
    bob.send("Bob", "noted");
    await bob.next("DELIVER", 2);
    const reader = await daemon.dial();
    const inbox = (await query(reader, "INBOX", { agent: "Bob" })).payload.messages;
    expect(inbox.map(({ body }: { body: string }) => body)).toEqual(["noted", "ready?"]);
  });

  test.each([
    ["another name than before", "Bert"],
    ["a reserved name", "system"],
    ["a name that nobody can have", "@x"],
  ])("a send under %s is refused where names have no owner, too", async (_, from) => {
    await using daemon = await RelayDaemon.start({ relayAccess: "open" });
    await daemon.connect("Bob");
    const peer = await daemon.dial();
    if (from === "Bert") peer.write(sendOf("Bob", "first", { from: "Ann" }));
    peer.write(sendOf("Bob", "second", { from }));
    expect((await peer.next("ERROR")).payload).toMatchObject({ code: "BAD_REQUEST", message: "Not in ACTIVE state" });
  });

  test("frames behind HELLO in the same chunk are taken", async () => {
    await using daemon = await RelayDaemon.start();
    const bob = await daemon.connect("Bob");
    const alice = await daemon.dial();
    alice.write(hello("Alice"), sendOf("Bob", "right away"));
    expect((await bob.next("DELIVER")).payload.body).toBe("right away");
    expect(alice.all("ERROR")).toEqual([]);
  });
});

describe("bad frames", () => {
  test("do not take the good ones before them along, and the fatal ERROR and BYE arrive", async () => {
    await using daemon = await RelayDaemon.start();
    const bob = await daemon.connect("Bob");
    const alice = await daemon.connect("Alice");
    const good = encodeFrame(sendOf("Bob", "good"));
    const bad = Buffer.from("\0\0\0\u0003{x}", "latin1");
    const late = encodeFrame(sendOf("Bob", "late"));
    alice.socket.write(Buffer.concat([good, bad, late]));
    await alice.ended();
    expect((await bob.next("DELIVER")).payload.body).toBe("good");
    expect(alice.seen.slice(-2).map(({ type }) => type)).toEqual(["ERROR", "BYE"]);
    expect(alice.all("ERROR")[0]?.payload).toMatchObject({ code: "BAD_REQUEST", fatal: true });
    expect(alice.all("ERROR")[0]?.payload.message).toMatch(/^Frame error: /);
    await bob.settled();
    expect(bob.bodies()).toEqual(["good"]);
  });

  test("of a length over the limit are refused by their header alone", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const header = Buffer.alloc(4);
    header.writeUInt32BE(1_048_577);
    alice.socket.write(header);
    await alice.ended();
    expect(alice.all("ERROR")[0]?.payload.message).toContain("1048577");
  });

  test("in the five-byte form, or as any JSON but an object, end the connection with an ERROR", async () => {
    await using daemon = await RelayDaemon.start();
    for (const bytes of ["\0\0\0\0\u0002{}", "\0\0\0\u0004null", "\0\0\0\u0002[]"]) {
      const peer = await daemon.connect("Alice");
      peer.socket.write(Buffer.from(bytes, "latin1"));
      await peer.ended();
      expect(peer.all("ERROR")[0]?.payload.fatal).toBe(true);
    }
  });

  test("that are envelopes name theirs, and payloads that are not what their type promises end nothing", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const wrong = { ...sendOf("Bob", "x"), payload: { body: 7 } };
    alice.write(wrong);
    expect((await alice.next("ERROR")).payload).toMatchObject({ code: "BAD_REQUEST", fatal: false, ref_id: wrong.id });
    alice.socket.write(encodeFrame({ ...sendOf("Bob", "x"), id: "the-bad-one", topic: 7 } as never));
    await alice.ended();
    expect(alice.all("ERROR")[1]?.payload).toMatchObject({ fatal: true, ref_id: "the-bad-one" });
  });
});

describe("the end of a connection", () => {
  test("BYE is answered by BYE, then by the end of the stream", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    alice.write(createEnvelope("BYE", {}));
    await alice.ended();
    expect(alice.seen.at(-1)?.type).toBe("BYE");
    expect(alice.all("ERROR")).toEqual([]);
  });

  test("a peer that just ends its stream gets ours", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    alice.socket.end();
    await alice.ended();
    expect(alice.seen.map(({ type }) => type)).toEqual(["WELCOME"]);
  });

  test("a daemon that stops says BYE to everybody", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    await daemon.close();
    await alice.ended();
    expect(alice.seen.at(-1)?.type).toBe("BYE");
  });
});

describe("one name twice", () => {
  test("the newcomer stays, and the old agent hears why before its connection ends", async () => {
    await using daemon = await RelayDaemon.start();
    const old = await daemon.connect("Bob");
    const fresh = await daemon.connect("Bob");
    await old.ended();
    expect(old.seen.slice(-2).map(({ type }) => type)).toEqual(["ERROR", "BYE"]);
    expect(old.all("ERROR")[0]?.payload).toEqual({
      code: "DUPLICATE_CONNECTION",
      message: 'Another agent with name "Bob" connected. This connection will be closed.',
      fatal: true,
    });
    const alice = await daemon.connect("Alice");
    alice.send("Bob", "for the newcomer");
    expect((await fresh.next("DELIVER")).payload.body).toBe("for the newcomer");
  });

  test("what the old one did not acknowledge goes to the newcomer, with its id and seq", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const old = await daemon.connect("Bob");
    old.isAcking = false;
    alice.send("Bob", "m1");
    const first = await old.next("DELIVER");
    const fresh = await daemon.connect("Bob");
    const again = await fresh.next("DELIVER");
    expect([again.id, again.delivery?.seq, again.ts]).toEqual([first.id, first.delivery?.seq, first.ts]);
  });

  test("users have as many connections as they like, and each gets its copy", async () => {
    await using daemon = await RelayDaemon.start();
    const tabs = [
      await daemon.connect("Uma", { entityType: "user" }),
      await daemon.connect("Uma", { entityType: "user" }),
    ];
    const alice = await daemon.connect("Alice");
    alice.send("Uma", "hi");
    for (const tab of tabs) expect((await tab.next("DELIVER")).payload.body).toBe("hi");
    await tabs[0]?.cut();
    alice.send("Uma", "still there");
    expect((await tabs[1]?.next("DELIVER", 2))?.payload.body).toBe("still there");
  });

  test("a user and an agent of one name are two, and the name stands for the user", async () => {
    await using daemon = await RelayDaemon.start();
    const agent = await daemon.connect("Sam");
    const user = await daemon.connect("Sam", { entityType: "user" });
    const alice = await daemon.connect("Alice");
    alice.send("Sam", "to the user");
    expect((await user.next("DELIVER")).payload.body).toBe("to the user");
    await user.cut();
    await agent.settled();
    expect(agent.isEnded).toBe(false);
    expect(agent.bodies()).toEqual([]);
  });
});

describe("presence", () => {
  test("everybody else hears AGENT_READY of each newcomer, users too", async () => {
    await using daemon = await RelayDaemon.start();
    const alice = await daemon.connect("Alice");
    const uma = await daemon.connect("Uma", { entityType: "user" });
    const bob = await daemon.connect("Bob", { cli: "claude", task: "demo" });
    const heard = await alice.next("AGENT_READY", 2);
    expect(heard.payload).toMatchObject({ name: "Bob", cli: "claude", task: "demo" });
    expect(heard.payload.connectedAt).toBeTypeOf("number");
    expect((await uma.next("AGENT_READY")).payload.name).toBe("Bob");
    await bob.settled();
    expect(bob.all("AGENT_READY")).toEqual([]);
  });
});
