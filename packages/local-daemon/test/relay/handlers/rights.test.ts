import { createEnvelope, type Envelope } from "@daemon-sdk/protocol/relay";
import { describe, expect, test } from "vitest";
import { personTicket } from "../person-ticket.js";
import { type RawPeer, RelayDaemon, type Seen } from "../relay-daemon.js";

/** Three agents: Bob has a secret from Alice, and the spy has none of it. */
async function scene() {
  const daemon = await RelayDaemon.start({ port: 0 });
  const alice = await daemon.connect("Alice");
  const bob = await daemon.connect("Bob");
  const spy = await daemon.connect("Spy");
  return { daemon, alice, bob, spy };
}

async function answer(
  peer: RawPeer,
  request: Envelope<object>,
  type: "INBOX_RESPONSE" | "MESSAGES_RESPONSE",
): Promise<Seen> {
  peer.write(request);
  const isAnswer = ({ id, payload }: Seen) => id === request.id || payload.ref_id === request.id;
  await peer.when(() => [...peer.all(type), ...peer.all("ERROR")].some(isAnswer));
  return [...peer.all(type), ...peer.all("ERROR")].find(isAnswer) as Seen;
}

const bodies = ({ payload }: Seen): string[] => payload.messages.map(({ body }: { body: string }) => body);
const messages = (payload: object = {}) => createEnvelope("MESSAGES_QUERY", payload);

describe("copies of another's messages", () => {
  test("are refused to a peer that has proven nothing, which gets none", async () => {
    const { daemon, alice, bob, spy } = await scene();
    await using _ = daemon;
    const bind = createEnvelope("SHADOW_BIND", { primaryAgent: "Bob" });
    spy.write(bind);
    expect((await spy.next("ERROR")).payload).toMatchObject({ code: "UNAUTHORIZED", fatal: false, ref_id: bind.id });
    alice.send("Bob", "private");
    await bob.next("DELIVER");
    await spy.settled();
    expect(spy.bodies()).toEqual([]);
  });

  test("go to one that connects with a ticket of the person", async () => {
    const { daemon, alice } = await scene();
    await using _ = daemon;
    const watcher = await daemon.connect("Watcher", { ticket: await personTicket(daemon) });
    watcher.write(createEnvelope("SHADOW_BIND", { primaryAgent: "Bob" }));
    await watcher.settled();
    alice.send("Bob", "private");
    expect((await watcher.next("DELIVER")).payload.body).toBe("private");
  });
});

describe("stored messages of others", () => {
  test("are in no answer to a peer that has proven nothing", async () => {
    const { daemon, alice, bob, spy } = await scene();
    await using _ = daemon;
    alice.send("Bob", "private");
    bob.send("Spy", "for the spy");
    spy.send("Alice", "from the spy");
    await alice.next("DELIVER");
    expect(bodies(await answer(spy, messages(), "MESSAGES_RESPONSE"))).toEqual(["from the spy", "for the spy"]);
    expect(bodies(await answer(spy, messages({ to: "Bob" }), "MESSAGES_RESPONSE"))).toEqual([]);
    const inbox = await answer(spy, createEnvelope("INBOX", { agent: "Bob" }), "INBOX_RESPONSE");
    expect(inbox.payload).toMatchObject({ code: "UNAUTHORIZED", fatal: false });
  });

  test("are in the answers to one that connects with a ticket of the person", async () => {
    const { daemon, alice } = await scene();
    await using _ = daemon;
    alice.send("Bob", "private");
    const watcher = await daemon.connect("Watcher", { ticket: await personTicket(daemon) });
    expect(bodies(await answer(watcher, messages(), "MESSAGES_RESPONSE"))).toEqual(["private"]);
    const inbox = await answer(watcher, createEnvelope("INBOX", { agent: "Bob" }), "INBOX_RESPONSE");
    expect(bodies(inbox)).toEqual(["private"]);
  });

  test("of a channel are for its members", async () => {
    const { daemon, alice, spy } = await scene();
    await using _ = daemon;
    alice.write(createEnvelope("CHANNEL_JOIN", { channel: "#dev" }));
    alice.write(createEnvelope("CHANNEL_MESSAGE", { channel: "#dev", body: "for members" }));
    const inbox = () => createEnvelope("INBOX", { channel: "#dev" });
    await alice.settled();
    expect(bodies(await answer(spy, inbox(), "INBOX_RESPONSE"))).toEqual([]);
    spy.write(createEnvelope("CHANNEL_JOIN", { channel: "#dev" }));
    expect(bodies(await answer(spy, inbox(), "INBOX_RESPONSE"))).toEqual(["for members"]);
  });

  test("of an earlier owner of the name are not shown to the next one", async () => {
    const { daemon, alice, bob } = await scene();
    await using _ = daemon;
    alice.send("Bob", "for the former Bob");
    await bob.next("DELIVER");
    await bob.settled();
    await bob.leave();
    // The clock of the store counts milliseconds.
    for (const left = Date.now(); Date.now() <= left; ) await alice.settled();
    const next = await daemon.stranger("Bob");
    expect(bodies(await answer(next, messages(), "MESSAGES_RESPONSE"))).toEqual([]);
  });
});

test("queries beyond what a connection may have waiting are refused by a BUSY that names them", async () => {
  const { daemon, spy } = await scene();
  await using _ = daemon;
  const queries = Array.from({ length: 80 }, () => messages());
  spy.write(...queries);
  await spy.when(() => spy.all("MESSAGES_RESPONSE").length + spy.all("BUSY").length === queries.length);
  const refused = new Set(spy.all("BUSY").map(({ payload }) => payload.ref_id));
  expect(refused.size).toBe(80 - 64 - 1);
  expect(spy.all("MESSAGES_RESPONSE").every(({ id }) => !refused.has(id))).toBe(true);
});
