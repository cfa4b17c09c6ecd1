import { expectEqual, expectThat, quiet } from "../expectation.js";
import { type Bench, contractCase, type TransportCase } from "./transport-case.js";

/** T7, T8: back-pressure and accounting of waiting bytes. */
export const PRESSURE_CASES: readonly TransportCase[] = [
  contractCase("T7-back-pressure", "send takes the message and returns false at the high-water mark", async (bench) => {
    const { near, logs, harness } = bench;
    expectThat(near.send("little"), "send returned false for a little message");
    const sent = sendUntilFalse(bench);
    expectThat(near.bufferedBytes > 0, "send returned false with nothing waiting");
    const bytes = sent * pieceOf(bench).length;
    const most = harness.highWaterBytes + pieceOf(bench).length;
    expectThat(bytes <= most, `send returned true until ${bytes} bytes waited; the mark is ${harness.highWaterBytes}`);
    await logs.far.messagesCame(sent + 1);
  }),

  contractCase(
    "T7-writable",
    "onWritable is called once after a false, below the mark, and never without one",
    async (bench) => {
      const { near, logs, harness } = bench;
      const calls: number[] = [];
      const writable = new Promise<void>((resolve) => {
        near.onWritable = () => {
          calls.push(near.bufferedBytes);
          resolve();
        };
      });
      near.send("little");
      await logs.far.messagesCame(1);
      await quiet();
      expectEqual(calls, [], "calls of onWritable before any false");
      const sent = sendUntilFalse(bench);
      near.send(pieceOf(bench));
      await bench.within(writable, "onWritable");
      await logs.far.messagesCame(sent + 2);
      await quiet();
      expectEqual(calls.length, 1, "calls of onWritable");
      expectThat((calls[0] ?? 0) < harness.highWaterBytes, "onWritable was called above the mark");
    },
  ),

  contractCase(
    "T8-accounting",
    "bufferedBytes counts what waits, in bytes of UTF-8, and returns to zero",
    async (bench) => {
      const { near, logs } = bench;
      expectEqual(near.bufferedBytes, 0, "bufferedBytes of an unused link");
      near.send("é".repeat(500));
      near.send("x".repeat(500));
      expectThat(near.bufferedBytes >= 1500, `bufferedBytes is ${near.bufferedBytes} with 1500 bytes just accepted`);
      await logs.far.messagesCame(2);
      await drained(bench);
    },
  ),

  contractCase("T8-after-the-end", "bufferedBytes is zero after the end, delivered or not", async (bench) => {
    sendUntilFalse(bench);
    bench.near.terminate();
    await bench.logs.near.end();
    await drained(bench);
  }),
];

function pieceOf({ harness }: Bench): string {
  return "x".repeat(Math.ceil(harness.highWaterBytes / 16));
}

/** Sends pieces in one tick until `send` returns false. Returns how many. */
function sendUntilFalse(bench: Bench): number {
  const piece = pieceOf(bench);
  for (let sent = 1; sent <= 64; sent++) if (!bench.near.send(piece)) return sent;
  return 64;
}

/** Waits until the near side has no waiting bytes. The far side may receive a message before that. */
async function drained({ near }: Bench): Promise<void> {
  for (let round = 0; near.bufferedBytes > 0 && round < 10; round++) await quiet();
  expectEqual(near.bufferedBytes, 0, "bufferedBytes in the end");
}
