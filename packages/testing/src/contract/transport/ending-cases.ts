import { expectEqual, expectThat, quiet } from "../expectation.js";
import { type Bench, contractCase, numbered, onFreshLink, type TransportCase } from "./transport-case.js";

/** T3 to T6: how links end. */
export const ENDING_CASES: readonly TransportCase[] = [
  {
    id: "T3-one-end",
    title: "each side is notified of the end exactly once, whatever its cause, and of nothing after it",
    async run(harness) {
      for (const end of WAYS_TO_END) await onFreshLink(harness, (bench) => endsOnce(bench, end));
    },
  },

  contractCase(
    "T4-polite-close",
    "what was sent before close is delivered before the far side sees a clean close",
    async ({ near, logs }) => {
      const messages = numbered(200, 2000);
      for (const text of messages) near.send(text);
      near.close(4321, "that was all");
      const far = await logs.far.end();
      const end = await logs.near.end();
      expectEqual(logs.far.messages, messages, "messages on the far side");
      expectEqual([far.clean, end.clean], [true, true], "clean, far and near");
      expectEqual([far.code, far.reason], [4321, "that was all"], "code and reason on the far side");
    },
  ),

  contractCase(
    "T4-either-side",
    "the far side may close as well, and what it sent arrives, too",
    async ({ near, far, logs }) => {
      near.send("question");
      await logs.far.messagesCame(1);
      far.send("answer");
      far.close();
      expectEqual((await logs.near.end()).clean, true, "clean on the near side");
      expectEqual(logs.near.messages, ["answer"], "messages on the near side");
      await logs.far.end();
    },
  ),

  contractCase("T5-cut", "a cut link is told once on each side, as unclean", async ({ near, cut, logs }) => {
    near.send("before");
    await logs.far.messagesCame(1);
    cut();
    expectEqual((await logs.near.end()).clean, false, "clean on the near side");
    expectEqual((await logs.far.end()).clean, false, "clean on the far side");
  }),

  contractCase("T5-terminate", "terminate is told once on each side, as unclean", async ({ near, logs }) => {
    near.send("before");
    await logs.far.messagesCame(1);
    near.terminate();
    expectEqual((await logs.far.end()).clean, false, "clean on the far side");
    expectEqual((await logs.near.end()).clean, false, "clean on the near side");
  }),

  contractCase(
    "T6-dead-end",
    "after close, send returns false and does nothing, and ending again is allowed",
    async (bench) => {
      const { near, far, logs } = bench;
      near.close();
      expectThat(!near.send("after close"), "send returned true after close");
      await logs.near.end();
      await logs.far.end();
      expectThat(!near.send("after the end") && !far.send("after the end"), "send returned true after the end");
      for (const side of [near, far]) {
        side.close();
        side.terminate();
        side.close();
      }
      await quiet();
      expectEqual([logs.near.messages, logs.far.messages], [[], []], "messages after close");
    },
  ),
];

/** Both sides at once; one side by `close`; one side by `terminate`; neither side. */
const WAYS_TO_END: readonly ((bench: Bench) => void)[] = [
  ({ near, far }) => {
    near.close();
    far.close();
  },
  ({ near }) => near.close(),
  ({ far }) => far.terminate(),
  ({ cut }) => cut(),
];

async function endsOnce(bench: Bench, end: (bench: Bench) => void): Promise<void> {
  const { near, far, logs } = bench;
  near.send("to far");
  far.send("to near");
  await logs.far.messagesCame(1);
  end(bench);
  await logs.near.end();
  await logs.far.end();
  for (const side of [near, far]) {
    side.send("late");
    side.close();
    side.terminate();
  }
  await quiet();
  for (const log of [logs.near, logs.far]) {
    expectEqual(log.ends.length, 1, "ends that were told");
    expectEqual(log.entries.at(-1)?.kind, "end", "the last thing received");
  }
}
