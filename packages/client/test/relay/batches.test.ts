import { afterEach, beforeEach, expect, test } from "vitest";
import { RelayClient } from "../../src/relay/index.js";
import { type HubLink, TinyHub, type WelcomeOptions } from "./tiny-hub.js";

let hub: TinyHub;
let client: RelayClient;
beforeEach(async () => {
  hub = await TinyHub.open();
  client = new RelayClient({ agentName: "Alice", socketPath: hub.socketPath });
});
afterEach(async () => {
  await Promise.all([client.close(), hub[Symbol.asyncDispose]()]);
});

async function connect(welcome: WelcomeOptions): Promise<HubLink> {
  const connected = client.connect();
  const link = await hub.link();
  link.welcome(welcome);
  await connected;
  return link;
}

/** Has the client handle so many messages, and asks for one more, which waits. */
async function handle(link: HubLink, count: number): Promise<void> {
  for (let seq = 1; seq <= count; seq += 1) link.deliver(`m${seq}`, { id: `d-${seq}`, seq });
  const messages = client.messages();
  for (let taken = 0; taken < count; taken += 1) await messages.next();
  void messages.next();
}

test("what is acknowledged in one turn leaves as one ACK to a daemon that offers batches, each message in it once", async () => {
  const link = await connect({ batches: true });
  await handle(link, 600);
  const named: unknown[] = [];
  let acks = 0;
  while (named.length < 600) {
    const { ack_id, also = [] } = (await link.next("ACK")).payload as { ack_id: string; also?: string[] };
    expect(also.length).toBeLessThan(256);
    named.push(ack_id, ...also);
    acks += 1;
  }
  expect(named).toEqual(Array.from({ length: 600 }, (_, index) => `d-${index + 1}`));
  expect(acks).toBeLessThan(100);
});

test("one message is acknowledged by an ACK as it always was", async () => {
  const link = await connect({ batches: true });
  await handle(link, 1);
  expect((await link.next("ACK")).payload).toEqual({ ack_id: "d-1", seq: 1 });
});

test("a daemon that does not offer batches gets an ACK for each message", async () => {
  const link = await connect({});
  await handle(link, 3);
  for (const seq of [1, 2, 3]) expect((await link.next("ACK")).payload).toEqual({ ack_id: `d-${seq}`, seq });
});

test("what was handled right before the end is acknowledged before BYE", async () => {
  const link = await connect({ batches: true });
  link.deliver("last", { id: "d-1" });
  const messages = client.messages();
  await messages.next();
  void messages.next();
  const closed = client.close();
  await link.next("BYE");
  expect(link.types.slice(0, 3)).toEqual(["HELLO", "ACK", "BYE"]);
  link.end();
  await closed;
});

test("a RECEIPT settles every message it names, and none twice", async () => {
  const link = await connect({ batches: true });
  const sent = ["a", "b", "c"].map((body) => client.send("Bob", body));
  const ids: string[] = [];
  while (ids.length < 3) ids.push((await link.next("SEND")).id);
  const [first = "", second = "", third = ""] = ids;
  link.send("RECEIPT", { ref_id: first, also: [third, "unknown", first], state: "delivered", to: "Bob" });
  link.send("RECEIPT", { ref_id: second, also: [third], state: "queued", to: "Bob" });
  expect((await Promise.all(sent)).map(({ id, state }) => [id, state])).toEqual([
    [first, "delivered"],
    [second, "queued"],
    [third, "delivered"],
  ]);
});

test("a thousand messages that leave without receipts are each called sent, once, in order", async () => {
  const link = await connect({ receipts: false });
  const settled: string[] = [];
  const sent = Array.from({ length: 1000 }, async (_, index) => {
    const { state } = await client.send("Bob", `m${index}`);
    settled.push(`${index} ${state}`);
  });
  await Promise.all(sent);
  expect(settled).toEqual(sent.map((_, index) => `${index} sent`));
  await link.next("SEND");
});

test("what has not left when the link is lost is told so, and what is sent after that is counted anew", async () => {
  const link = await connect({ receipts: false });
  link.pause();
  const big = "x".repeat(200_000);
  const sent = Array.from({ length: 20 }, () => client.send("Bob", big).then(({ state }) => state));
  const outcomes = Promise.allSettled(sent);
  const lost = new Promise((resolve) => {
    client.onError = resolve;
  });
  link.cut();
  await lost;
  const after = client.send("Bob", "after").then(({ state }) => state);
  const next = await hub.link();
  next.welcome({ receipts: false });
  expect(await after).toBe("sent");
  const states = (await outcomes).map((outcome) =>
    outcome.status === "fulfilled" ? outcome.value : outcome.reason.code,
  );
  expect(states.every((state) => state === "sent" || state === "CONNECTION_LOST")).toBe(true);
  expect(states).toContain("CONNECTION_LOST");
});
