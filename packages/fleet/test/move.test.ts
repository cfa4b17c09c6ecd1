import { DaemonError, type EventPosition, SessionMovedError, SessionNotFoundError } from "@daemon-sdk/client";
import type { DaemonLimits } from "@daemon-sdk/local-daemon/server";
import { type MessageId, newId, type SessionId } from "@daemon-sdk/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fleet, MoveStep } from "../src/index.js";
import { MOVE_STEPS, nextStep } from "../src/move/move-steps.js";
import { entriesIn, FleetBench, type StoredEntry } from "./support/fleet-bench.js";
import { HAS_NATS, NatsServer, NO_NATS } from "./support/nats-server.js";

let tenants = 0;

test("the steps of a move follow one another, from the first to the last", () => {
  const seen: MoveStep[] = [];
  for (let step: MoveStep | undefined = "begin"; step !== undefined; step = nextStep(step)) seen.push(step);
  expect(seen).toEqual(MOVE_STEPS);
});

describe.skipIf(!HAS_NATS)(`a move of a session to another machine${NO_NATS}`, () => {
  let server: NatsServer;
  let bench: FleetBench;

  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(() => {
    tenants += 1;
    bench = new FleetBench(server.url, `move-${tenants}`);
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  /** A session on m-1 with a conversation of some turns. */
  async function talked(fleet: Fleet): Promise<string> {
    const connection = await fleet.connection("m-1");
    const session = await connection.createSession({ agent: "echo", cwd: bench.directory });
    for (const prompt of ["one", "two"]) expect(await resultOf(session.stream(prompt))).toBe(`Echo: ${prompt}`);
    await session.detach();
    return session.sessionId;
  }

  /** The entries that a machine has of a session, as they are stored; undefined while it does not serve the session. */
  async function entriesOf(machineId: string, sessionId: string): Promise<readonly StoredEntry[] | undefined> {
    const store = bench.storeOf(machineId);
    if ((await store?.readSession(sessionId as SessionId)) === undefined) return undefined;
    return entriesIn(store, sessionId);
  }

  test("it goes on there with its conversation, its entries and their positions", async () => {
    await bench.machine("m-1");
    await bench.machine("m-2");
    const fleet = await bench.service();
    const sessionId = await talked(fleet);
    const [from, to] = [await fleet.connection("m-1"), await fleet.connection("m-2")];
    const before = await entriesOf("m-1", sessionId);
    const messages = await from.getSessionMessages(sessionId, {});
    await fleet.moveSession(sessionId, "m-2");
    expect(await entriesOf("m-2", sessionId)).toEqual(before);
    expect((await to.getSessionMessages(sessionId, {})).messages).toEqual(messages.messages);
    const session = await fleet.resumeSession(sessionId);
    expect(await resultOf(session.stream("three"))).toBe("Echo: three");
    const after = await entriesOf("m-2", sessionId);
    expect(after?.slice(0, before?.length)).toEqual(before);
    const positions = after ?? [];
    expect(positions.map(({ seq }) => seq)).toEqual(positions.map((_, index) => index + 1));
    const epochs = positions.map(({ epoch }) => epoch);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    expect(epochs.at(-1)).toBeGreaterThan(epochs[0] ?? 0);
    expect((await fleet.listSessions()).items.map((item) => [item.sessionId, item.machineId])).toEqual([
      [sessionId, "m-2"],
    ]);
  });

  test("who followed it on the former machine goes on behind the last entry that it got, without a gap", async () => {
    await bench.machine("m-1");
    await bench.machine("m-2");
    const fleet = await bench.service();
    const sessionId = await talked(fleet);
    const from = await fleet.connection("m-1");
    let after: EventPosition | undefined;
    for await (const event of from.follow(sessionId, { after: { epoch: 0, seq: 0 } })) {
      after = event.position;
      if (event.type === "result") break;
    }
    await fleet.moveSession(sessionId, "m-2");
    const texts: unknown[] = [];
    for await (const event of (await fleet.connection("m-2")).follow(sessionId, { after })) {
      expect(event.type).not.toBe("gap");
      if (event.type === "result") texts.push(event.text);
      if (texts.length === 1) await (await fleet.connection("m-2")).send(sessionId, "three");
      if (texts.length === 2) break;
    }
    expect(texts).toEqual(["Echo: two", "Echo: three"]);
  });

  test("a running turn is interrupted when it may take no time, and queued messages run once, on the other machine", async () => {
    await bench.machine("m-1");
    await bench.machine("m-2");
    const fleet = await bench.service();
    const from = await fleet.connection("m-1");
    const session = await from.createSession({ agent: "asking", cwd: bench.directory });
    const running = resultOf(session.stream("first"));
    await expect.poll(async () => from.listRequests()).toHaveLength(1);
    const { messageId } = await session.send("second");
    await fleet.moveSession(session.sessionId, "m-2", { drainMs: 0 });
    await running.catch(() => {});
    const to = await fleet.connection("m-2");
    await expect.poll(async () => to.listRequests()).toHaveLength(1);
    const [request] = await to.listRequests();
    if (request === undefined) throw new SessionNotFoundError(session.sessionId);
    await to.answerRequest(request.requestId, { selectedOption: "proceed_once" } as never);
    const store = bench.storeOf("m-2");
    const turnOf = async () => store?.readTurn(session.sessionId as SessionId, messageId as MessageId);
    await expect.poll(async () => (await turnOf())?.state).toBe("completed");
    const ends = (await entriesOf("m-2", session.sessionId))?.filter(({ text }) =>
      text.includes("agent_turn_completed"),
    );
    expect(ends?.map(({ text }) => /"reason":"(\w+)"/.exec(text)?.[1])).toEqual(["cancelled", "completed"]);
  });

  describe("of a key, to a machine where the key has no room", () => {
    const principal = (client: string) => ({ keyId: client === "bots" ? "key-1" : undefined });

    /** Services of the person and of a key, and a session of that key on m-1. */
    async function ofKey(limits: Partial<DaemonLimits>) {
      await bench.machine("m-1", { principal });
      const { daemon } = await bench.machine("m-2", { principal }, { limits });
      const [fleet, bots] = [await bench.service(), await bench.service({ client: "bots" })];
      const session = await (await bots.connection("m-1")).createSession({ agent: "echo", cwd: bench.directory });
      expect(await resultOf(session.stream("x".repeat(30_000)))).toContain("Echo");
      const { sessionId } = session;
      const other = await (await bots.connection("m-2")).createSession({ agent: "echo", cwd: bench.directory });
      return { fleet, bots, daemon, session, sessionId, other };
    }

    test.each([
      ["storedSessionsPerKey", 1],
      ["storedBytesPerKey", 20_000],
    ] as const)("%s refuses it before anything is copied, and it goes on where it is", async (name, most) => {
      const { fleet, daemon, session, sessionId } = await ofKey({ [name]: most });
      const steps: MoveStep[] = [];
      const move = fleet.moveSession(sessionId, "m-2", { onStep: (step) => void steps.push(step) });
      const error = await move.catch((reason: unknown) => reason);
      expect(DaemonError.is(error, "QUOTA_EXCEEDED") && error.message).toContain(name);
      expect(steps).toEqual(["begin", "leave"]);
      expect(await daemon.moves.state(sessionId)).toEqual({ state: "absent" });
      expect(await resultOf(session.stream("again"))).toBe("Echo: again");
    });

    test("its oldest archived session there makes room", async () => {
      const { fleet, bots, sessionId, other } = await ofKey({ storedSessionsPerKey: 1 });
      const there = await bots.connection("m-2");
      await other.close();
      await there.archiveSession(other.sessionId);
      await fleet.moveSession(sessionId, "m-2");
      expect((await there.listAvailableSessions()).sessions.map((one) => one.sessionId)).toEqual([sessionId]);
    });
  });

  test("an attached client of the former machine is notified of where it went, and so is who asks there later", async () => {
    await bench.machine("m-1");
    await bench.machine("m-2");
    const fleet = await bench.service();
    const sessionId = await talked(fleet);
    const other = await bench.service();
    const session = await (await other.connection("m-1")).resumeSession(sessionId);
    const closed = new Promise((resolve) => session.onNotification(resolve, { type: "session_closed" }));
    await fleet.moveSession(sessionId, "m-2");
    expect(await closed).toMatchObject({ reason: "moved", machineId: "m-2" });
    await expect(session.send("late")).rejects.toMatchObject({ code: "SESSION_MOVED", machineId: "m-2" });
    const late = (await other.connection("m-1")).resumeSession(sessionId);
    await expect(late).rejects.toBeInstanceOf(SessionMovedError);
    const made = (await other.connection("m-1")).createSession({ sessionId, cwd: bench.directory });
    await expect(made).rejects.toMatchObject({ code: "SESSION_MOVED" });
    expect(await resultOf((await other.resumeSession(sessionId)).stream("found"))).toBe("Echo: found");
  });

  test("it does not change while it is copied, and goes on where it was when its files cannot be copied", async () => {
    await bench.machine("m-1");
    await bench.machine("m-2");
    const fleet = await bench.service();
    const sessionId = await talked(fleet);
    const from = await fleet.connection("m-1");
    const seen: unknown[] = [];
    const moved = fleet.moveSession(sessionId, "m-2", {
      async files({ source, target, cwd }) {
        seen.push(source.machineId, target.machineId, cwd);
        const changes = [
          from.send(sessionId, "meanwhile"),
          from.renameSession(sessionId, "other"),
          from.deleteSession(sessionId),
        ];
        seen.push(...(await Promise.all(changes.map((change) => change.then(() => "done", codeOf)))));
        throw new DaemonError("STORAGE_FULL", "The disk is full.");
      },
    });
    await expect(moved).rejects.toMatchObject({ code: "STORAGE_FULL" });
    expect(seen.slice(0, 3)).toEqual(["m-1", "m-2", bench.directory]);
    expect(new Set(seen.slice(3))).toEqual(new Set(["SESSION_MOVING"]));
    expect(await resultOf((await fleet.resumeSession(sessionId)).stream("three"))).toBe("Echo: three");
    expect((await fleet.listSessions()).items.map(({ machineId }) => machineId)).toEqual(["m-1"]);
    await fleet.moveSession(sessionId, "m-2");
    await fleet.moveSession(sessionId, "m-1");
    expect(await resultOf((await fleet.resumeSession(sessionId)).stream("four"))).toBe("Echo: four");
  });

  test("wherever the service dies, a repeated call leaves the session on the other machine, once and whole", async () => {
    await bench.machine("m-1");
    await bench.machine("m-2");
    const fleet = await bench.service();
    const sessionId = await talked(fleet);
    let [here, there] = ["m-1", "m-2"];
    for (const step of MOVE_STEPS) {
      const before = await entriesOf(here, sessionId);
      const mover = await bench.service();
      const dies = mover.moveSession(sessionId, there, {
        async onStep(now) {
          if (now === step) await mover.close();
        },
      });
      await expect(dies, step).rejects.toBeInstanceOf(DaemonError);
      await fleet.moveSession(sessionId, there);
      expect(await entriesOf(there, sessionId), step).toEqual(before);
      expect(await entriesOf(here, sessionId), step).toBeUndefined();
      const session = await fleet.resumeSession(sessionId);
      expect(await resultOf(session.stream(step))).toBe(`Echo: ${step}`);
      await session.detach();
      [here, there] = [there, here];
    }
  });

  test("a service that acts for a key moves nothing, and a machine without the session's agent takes nothing", async () => {
    await bench.machine("m-1", { principal: (client) => ({ keyId: client === "bot" ? "key-1" : undefined }) });
    await bench.machine("m-2");
    const fleet = await bench.service();
    const sessionId = await talked(fleet);
    const bot = await bench.service({ client: "bot" });
    await expect(bot.moveSession(sessionId, "m-2")).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    await expect(fleet.moveSession(newId(), "m-2")).rejects.toBeInstanceOf(SessionNotFoundError);
    await expect(fleet.moveSession(sessionId, "m-9")).rejects.toMatchObject({ code: "MACHINE_GONE" });
    expect(await resultOf((await fleet.resumeSession(sessionId)).stream("three"))).toBe("Echo: three");
  });
});

function codeOf(error: unknown): string {
  return DaemonError.is(error) ? error.code : String(error);
}

async function resultOf(stream: AsyncIterable<{ type: string }>): Promise<string | undefined> {
  for await (const event of stream) if (event.type === "result") return (event as { text?: string }).text;
  return undefined;
}
