import { expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import { Harness, type TestClient } from "./harness.js";

const send = (client: TestClient, messageId: string) =>
  client.call("add_user_message", { sessionId: "s-1", text: messageId, messageId });

async function closedByAnother(harness: Harness): Promise<TestClient> {
  const [owner, other] = [await harness.connect(), await harness.connect()];
  await owner.createSession("s-1");
  await other.loadSession("s-1");
  await owner.result("close_session", { sessionId: "s-1" });
  await other.notified({ type: "session_closed" });
  return other;
}

test("a message sent just as another client closes the session is refused, and starts nothing", async () => {
  await using harness = await Harness.start();
  const other = await closedByAnother(harness);
  const { error } = await send(other, "m-1");
  expect(error).toMatchObject({ data: { code: "SESSION_CLOSED", sessionId: "s-1" } });
  expect(harness.spawner.agents).toHaveLength(1);
  expect(await harness.store.openTurns()).toEqual([]);
});

test("a message on its way through the close ends with it, or is refused: none is acted on afterwards", async () => {
  await using harness = await Harness.start();
  const [owner, other] = [await harness.connect(), await harness.connect()];
  await owner.createSession("s-1");
  await other.loadSession("s-1");
  const answers = [send(other, "m-0"), send(other, "m-1")];
  const closing = owner.call("close_session", { sessionId: "s-1" });
  answers.push(send(other, "m-2"), send(other, "m-3"));
  await closing;
  answers.push(send(other, "m-4"));
  for (const [index, { error }] of (await Promise.all(answers)).entries()) {
    const row = await harness.store.readTurn("s-1" as never, `m-${index}` as never);
    if (error === undefined) expect(row).toMatchObject({ state: "interrupted" });
    else expect([row, error.data]).toEqual([undefined, expect.objectContaining({ code: "SESSION_CLOSED" })]);
  }
  expect(harness.spawner.agents).toHaveLength(1);
  expect(await harness.store.openTurns()).toEqual([]);
});

test("a closed session takes messages again once it was loaded, and a restart does not open it", async () => {
  const store = new MemoryStore();
  const first = await Harness.start({ store });
  await closedByAnother(first);
  await first.host.stop();

  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  expect((await send(client, "m-1")).error).toMatchObject({ data: { code: "SESSION_CLOSED" } });
  await client.loadSession("s-1");
  expect((await send(client, "m-1")).result).toEqual({});
  const agent = await harness.spawner.agentOf("s-1");
  await agent.prompted(1);
  agent.end();
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
});

test.each([0, 1, 2, 3, 4, 5, 6])(
  "who loads a session %i ticks into its close follows it as it is afterwards, or hears of the close and is refused",
  async (ticks) => {
    await using harness = await Harness.start();
    const [owner, other] = [await harness.connect(), await harness.connect()];
    await owner.createSession("s-1");
    const closing = owner.call("close_session", { sessionId: "s-1" });
    for (let n = 0; n < ticks; n++) await new Promise((resolve) => setImmediate(resolve));
    await other.loadSession("s-1");
    await closing;
    const { result, error } = await send(other, "m-1");
    const wasTold = other.types("s-1").includes("session_closed");
    expect({ result, code: Reflect.get(Object(error?.data), "code") }).toEqual(
      wasTold ? { result: undefined, code: "SESSION_CLOSED" } : { result: {}, code: undefined },
    );
  },
);

test("closing twice at once closes once", async () => {
  await using harness = await Harness.start();
  const [owner, other] = [await harness.connect(), await harness.connect()];
  await owner.createSession("s-1");
  const witness = await harness.connect();
  await witness.loadSession("s-1");
  await Promise.all([owner, other].map((client) => client.result("close_session", { sessionId: "s-1" })));
  await witness.notified({ type: "session_closed" });
  expect(witness.types("s-1").filter((type) => type === "session_closed")).toHaveLength(1);
});
