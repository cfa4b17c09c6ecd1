import { sessionId } from "@daemon-sdk/protocol";
import { expect, test, vi } from "vitest";
import { PERMISSION } from "../inbox/permission.js";
import { Harness, type Seen, type TestClient } from "../sessions/harness.js";

const ENVELOPE = { jsonrpc: "2.0", factoryApiVersion: "1.0.0" };

function entries(client: TestClient): Seen[] {
  return client.seen.filter(({ _meta }) => _meta !== undefined);
}

function isEarly({ _meta }: Seen): boolean {
  return (_meta as { early?: true } | undefined)?.early === true;
}

function inOrder(client: TestClient): Seen[] {
  return entries(client).filter((frame) => !isEarly(frame));
}

function seqs(frames: Seen[]): (number | undefined)[] {
  return frames.map(({ _meta }) => _meta?.seq);
}

function grant(client: TestClient, events: number, bytes = 1_000_000, id = "s-1"): void {
  const params = { sessionId: id, events, bytes };
  client.sendText(JSON.stringify({ ...ENVELOPE, type: "notification", method: "daemon.grant_credit", params }));
}

/** Everything that was sent to the client has arrived. */
function roundTrip(client: TestClient): Promise<Seen> {
  return client.call("ping", {});
}

async function running(harness: Harness, credit: object) {
  const client = await harness.connect();
  await client.createSession("s-1", { credit });
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  return { client, agent };
}

test("window full, permission asked, answered, turn ended: none of it waits, and all of it comes again at its place", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, { events: 3, bytes: 1_000_000 });
  for (let n = 1; n <= 10; n++) agent.delta(`${n}`);
  await client.notified({ textDelta: "3" });
  agent.ask("request_permission", PERMISSION);
  const request = await client.request("request_permission");
  expect(request._meta).toEqual({ epoch: harness.epoch, seq: 11, early: true });
  client.respond(String(request.id), { selectedOption: "proceed_once" });
  await client.notified({ type: "permission_resolved" });
  expect(agent.answers).toEqual([{ selectedOption: "proceed_once" }]);
  agent.delta("after");
  agent.end();
  await client.turnEnd("m-1");
  await roundTrip(client);
  expect(seqs(inOrder(client))).toEqual([1, 2, 3]);
  expect(seqs(entries(client).filter(isEarly))).toEqual([11, 12, 15]);

  grant(client, 100);
  await client.notified({ newState: "idle" });
  const { committedSeq = 0 } = harness.host.find("s-1")?.log ?? {};
  expect(seqs(inOrder(client))).toEqual(Array.from({ length: committedSeq }, (_, index) => index + 1));
  expect(entries(client).filter(isEarly)).toHaveLength(3);
  expect(inOrder(client)[10]).toMatchObject({ type: "request", _meta: { resolved: true } });
});

test("bytes bound as well as events, the last entry may overdraw, and what it overdrew comes off the next grant", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, { events: 100, bytes: 1 });
  agent.delta("x".repeat(1_000));
  agent.delta("second");
  await client.notified({ type: "assistant_text_delta" });
  await roundTrip(client);
  expect(seqs(inOrder(client))).toEqual([1]);
  grant(client, 1, 500);
  await roundTrip(client);
  expect(seqs(inOrder(client))).toEqual([1]);
  grant(client, 1, 2_000);
  await client.notified({ textDelta: "second" });
});

test("a consumer begins from now: what it skips stays in the journal, what must not wait is told", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, { events: 0, bytes: 0 });
  for (let n = 1; n <= 5; n++) agent.delta(`${n}`);
  agent.ask("request_permission", PERMISSION);
  await client.request("request_permission");
  const other = await harness.connect();
  const follow = { sessionId: "s-1", credit: { events: 2, bytes: 1_000 } };
  const { position } = (await other.result("follow_session", follow)) as { position: { seq: number } };
  expect(position).toEqual({ epoch: harness.epoch, seq: 6 });
  // It was not attached before, so it has not been asked.
  expect((await other.request("request_permission"))._meta).toMatchObject({ seq: 6, early: true });
  const state = await client.result("follow_session", follow);
  expect(state).toMatchObject({ isAgentLoopInProgress: true });
  for (let n = 6; n <= 9; n++) agent.delta(`${n}`);
  for (const one of [client, other]) {
    await one.notified({ textDelta: "7" });
    await roundTrip(one);
    expect(seqs(inOrder(one))).toEqual([7, 8]);
    expect(seqs(entries(one).filter(isEarly))).toEqual([6]);
  }
});

test("a grant for a session that the connection does not follow is counted, and changes nothing", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, { events: 0, bytes: 0 });
  grant(client, 5, 5_000, "s-2");
  client.sendText(
    JSON.stringify({ ...ENVELOPE, type: "notification", method: "daemon.grant_credit", params: { sessionId: "s-1" } }),
  );
  agent.delta("1");
  await harness.committer.drain();
  await roundTrip(client);
  expect(entries(client)).toEqual([]);
  expect(harness.dialects[0]?.counters.strayNotifications).toBe(2);
  // More than anybody can mean is no error.
  grant(client, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  grant(client, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  await client.notified({ textDelta: "1" });
});

test("a client that is far behind has about as many entries read for it as it granted credit for, at each grant", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, { events: 1, bytes: 1_000_000 });
  for (let n = 1; n <= 3_000; n++) {
    agent.delta(`${n}`);
    if (n % 64 === 0) await harness.committer.drain();
  }
  await harness.committer.drain();
  await roundTrip(client);
  const read = vi.spyOn(harness.store, "readEntries");
  grant(client, 64);
  await client.notified({ textDelta: "65" });
  await roundTrip(client);
  const runs = await Promise.all(read.mock.results.map(({ value }) => value));
  expect(runs.reduce((sum, { frames }) => sum + frames.length, 0)).toBeLessThanOrEqual(2 * 64);
});

/** As the journal's own retention does it. */
async function prune(harness: Harness, beforeSeq: number): Promise<void> {
  harness.host.find("s-1")?.log.save({ kind: "pruneJournal", sessionId: sessionId("s-1"), beforeSeq });
  await harness.committer.drain();
}

test("what was unread for longer than the journal keeps it costs that session alone: its client is told, and the others on the socket go on", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, { events: 2, bytes: 1_000_000 });
  await client.createSession("s-2", { credit: { events: 100, bytes: 1_000_000 } });
  const other = await harness.spawner.agentOf("s-2");
  for (let n = 1; n <= 300; n++) agent.delta(`${n}`);
  await harness.committer.drain();
  await prune(harness, 257);
  other.delta("undisturbed");
  await client.notified({ textDelta: "undisturbed" });
  expect(client.types("s-1")).not.toContain("session_unsubscribed");

  // Only now it would have to be sent what is gone.
  grant(client, 100);
  await client.notified({ type: "session_unsubscribed", code: "RESUME_TOO_OLD" });
  agent.delta("while detached");
  other.delta("still there");
  await client.notified({ textDelta: "still there" });
  grant(client, 100);
  await roundTrip(client);
  expect(client.closeCode).toBeUndefined();
  expect(client.notifications("s-1").map(({ textDelta }) => textDelta)).toEqual(["1", "2", undefined]);
  expect(client.seen.find(({ params }) => params?.notification?.code === "RESUME_TOO_OLD")?._meta).toBeUndefined();
  expect(harness.dialects[0]?.counters.strayNotifications).toBe(1);

  const loaded = await client.loadSession("s-1", { credit: { events: 10, bytes: 1_000_000 } });
  expect(loaded.position).toEqual({ epoch: harness.epoch, seq: 301 });
  agent.delta("again");
  await client.notified({ textDelta: "again" });
});

test("a connection without credit that reads too slowly for the journal is closed with 4408: it would not understand less", async () => {
  await using harness = await Harness.start({ connection: { bufferBytes: 1_024, slowMs: 600_000 } });
  const maker = await harness.connect();
  await maker.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  const { client, wire } = await harness.connectLazy();
  wire.stopReading();
  for (let n = 1; n <= 130; n++) agent.delta(`${n} ${"x".repeat(1_000)}`);
  await maker.when(() => maker.notifications("s-1").length === 130);
  await prune(harness, 129);
  wire.readOn();
  expect(await wire.closedByDaemon).toBe(4408);
  expect(client.types("s-1")).not.toContain("session_unsubscribed");
});

test("an agent cannot pass off its words as what must not wait, nor as an early copy", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, { events: 0, bytes: 0 });
  agent.tell({ type: "session_closed", timestamp: 1 });
  agent.tell({ type: "session_unsubscribed", message: "m", code: "RESUME_TOO_OLD" });
  agent.tell({ type: "ask_user_resolved", requestId: "q", toolCallId: "t", cancelled: true });
  harness.host.find("s-1")?.notify({ type: "x" }, { early: true } as object);
  await harness.committer.drain();
  await roundTrip(client);
  expect(entries(client)).toEqual([]);
  grant(client, 5);
  await client.notified({ type: "x" });
  expect(client.seen.at(-1)?._meta).toEqual({ epoch: harness.epoch, seq: 1 });
});

test("an agent that says 20 MiB to nobody is never paused, ends its turn, and all of it is in the journal (L5)", async () => {
  await using harness = await Harness.start();
  const { client, agent } = await running(harness, { events: 0, bytes: 0 });
  const pauses: boolean[] = [];
  agent.setPaused = (paused) => pauses.push(paused);
  const text = "x".repeat(64 * 1024);
  for (let n = 0; n < 320; n++) {
    agent.delta(text);
    if (n % 8 === 7) await harness.committer.drain();
  }
  agent.end();
  await client.turnEnd("m-1");
  expect(pauses).toEqual([]);
  expect(inOrder(client)).toEqual([]);
  grant(client, 1_000, 2 ** 31);
  await client.notified({ newState: "idle" });
  expect(inOrder(client)).toHaveLength(323);
});
