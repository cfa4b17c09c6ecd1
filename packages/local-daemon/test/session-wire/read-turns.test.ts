import { DaemonError } from "@daemon-sdk/protocol";
import { expect, test, vi } from "vitest";
import { SERVING_LIMITS } from "../../src/limits/index.js";
import { type Reading, ReadTurns } from "../../src/session-wire/read-turns.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A client that takes its answers when the test says. */
function clientOf(keyId: string | undefined) {
  const waiting: (() => void)[] = [];
  const sink = { isDraining: false, onceWritable: (callback: () => void) => void waiting.push(callback) };
  const client: Reading = { principal: { keyId }, sink };
  const drain = () => {
    sink.isDraining = false;
    for (const callback of waiting.splice(0)) callback();
  };
  return { client, sink, drain };
}

test("the first read begins at once, and of others one in each turn of the loop, each principal in its turn", async () => {
  const turns = new ReadTurns();
  const begun: string[] = [];
  const read = (client: Reading, name: string) =>
    turns.take(client, 1, async () => {
      begun.push(name);
    });
  const [hostile, person] = [clientOf("k").client, clientOf(undefined).client];
  const all = [1, 2, 3].map((n) => read(hostile, `k${n}`));
  all.push(read(person, "p1"));
  expect(begun).toEqual(["k1"]);
  for (let n = 2; n <= 4; n++) {
    await turn();
    expect(begun).toHaveLength(n);
  }
  expect(begun.indexOf("p1")).toBeLessThanOrEqual(2);
  await Promise.all(all);
});

test("a client gets its next answer once it has taken the last one; another one of the same principal does not wait", async () => {
  const turns = new ReadTurns();
  const [slow, quick] = [clientOf("k"), clientOf("k")];
  const begun: string[] = [];
  const first = turns.take(slow.client, 1, async () => {
    begun.push("slow 1");
    slow.sink.isDraining = true;
  });
  const second = turns.take(slow.client, 1, async () => void begun.push("slow 2"));
  const third = turns.take(quick.client, 1, async () => void begun.push("quick"));
  await Promise.all([first, third]);
  for (let n = 0; n < 5; n++) await turn();
  expect(begun).toEqual(["slow 1", "quick"]);
  slow.drain();
  await second;
  expect(begun).toEqual(["slow 1", "quick", "slow 2"]);
});

test("a principal has few answers made at a time, however many of its clients ask", async () => {
  const turns = new ReadTurns();
  const ends: (() => void)[] = [];
  const read = (client: Reading) =>
    turns.take(client, 1, () => new Promise<void>((resolve) => void ends.push(resolve)));
  const all = Array.from({ length: 6 }, () => read(clientOf("k").client));
  for (let n = 0; n < 6; n++) await turn();
  expect(ends).toHaveLength(SERVING_LIMITS.readsMadeAtOnce);
  const other = read(clientOf(undefined).client);
  await turn();
  expect(ends).toHaveLength(SERVING_LIMITS.readsMadeAtOnce + 1);
  for (let done = 0; done < 7; done++) {
    await vi.waitUntil(() => ends[done] !== undefined);
    ends[done]?.();
  }
  await Promise.all([...all, other]);
});

test("a client that is behind with its events gets its answer once it has caught up", async () => {
  const turns = new ReadTurns();
  const { client, sink, drain } = clientOf("k");
  sink.isDraining = true;
  let isDone = false;
  const reading = turns.take(client, 1, async () => {
    isDone = true;
  });
  await turn();
  expect(isDone).toBe(false);
  drain();
  await reading;
});

test("a principal has a bounded number of answers that were not taken", async () => {
  const turns = new ReadTurns();
  const clients = Array.from({ length: SERVING_LIMITS.readsAtOnce + 1 }, () => clientOf("k"));
  let begun = 0;
  for (const { client, sink } of clients) {
    void turns.take(client, 1, async () => {
      begun++;
      sink.isDraining = true;
    });
  }
  for (let n = 0; n < 2 * clients.length; n++) await turn();
  expect(begun).toBe(SERVING_LIMITS.readsAtOnce);
  const gone = clients[0];
  if (gone !== undefined) turns.leave(gone.client);
  await turn();
  expect(begun).toBe(SERVING_LIMITS.readsAtOnce + 1);
});

test("past the bound of count or size a read is refused, and another principal's is not", async () => {
  const turns = new ReadTurns();
  const { client, sink } = clientOf("k");
  sink.isDraining = true;
  const refused: unknown[] = [];
  const ask = (units: number) => void turns.take(client, units, async () => {}).catch((error) => refused.push(error));
  for (let n = 0; n < SERVING_LIMITS.readsWaiting; n++) ask(1);
  await turn();
  expect(refused).toEqual([]);
  ask(1);
  await turn();
  expect(refused).toHaveLength(1);
  expect(DaemonError.is(refused[0], "QUEUE_FULL")).toBe(true);
  turns.leave(client);
  await turn();
  refused.length = 0;
  ask(SERVING_LIMITS.readsWaitingUnits + 1);
  ask(1);
  await turn();
  expect(refused).toHaveLength(1);
  await turns.take(clientOf("other").client, 1, async () => {});
});

test("reads of a connection that ended are not made", async () => {
  const turns = new ReadTurns();
  const { client, sink } = clientOf("k");
  sink.isDraining = true;
  const reading = turns.take(client, 1, async () => {});
  turns.leave(client);
  await expect(reading).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
});

test("a read that fails rejects, and the next one begins", async () => {
  const turns = new ReadTurns();
  const { client } = clientOf("k");
  const failing = turns.take(client, 1, () => Promise.reject(new DaemonError("STORAGE_FAILED", "x")));
  const next = turns.take(client, 1, async () => {});
  await expect(failing).rejects.toMatchObject({ code: "STORAGE_FAILED" });
  await next;
});
