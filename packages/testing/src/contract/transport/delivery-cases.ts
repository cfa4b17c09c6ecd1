import { expectEqual, expectThat, quiet } from "../expectation.js";
import { contractCase, numbered, type TransportCase } from "./transport-case.js";

/** T1, T2, T9, T10, T11: delivery of messages. */
export const DELIVERY_CASES: readonly TransportCase[] = [
  contractCase(
    "T1-order",
    "a thousand messages arrive in the order they were sent, each once, both ways",
    async (bench) => {
      const messages = numbered(1000, 40);
      for (const text of messages) {
        bench.near.send(text);
        bench.far.send(text);
      }
      await bench.logs.far.messagesCame(messages.length);
      await bench.logs.near.messagesCame(messages.length);
      await quiet();
      expectEqual(bench.logs.far.messages, messages, "messages on the far side");
      expectEqual(bench.logs.near.messages, messages, "messages on the near side");
    },
  ),

  contractCase("T1-whole", "messages of every size and alphabet arrive whole", async ({ near, logs, harness }) => {
    const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537];
    const messages = sizes.map((size) => "x".repeat(size));
    messages.push('{"quotes":"\\" \\n"}', "\u0000 é 漢字 🎉".repeat(1000), "y".repeat(harness.maxMessageBytes / 2));
    for (const text of messages) near.send(text);
    await logs.far.messagesCame(messages.length);
    const wrong = messages.findIndex((text, index) => logs.far.messages[index] !== text);
    expectEqual(wrong, -1, "first message that differs");
  }),

  contractCase("T2-asynchrony", "nothing is delivered inside send, close or terminate", async ({ near, far, logs }) => {
    near.send("one");
    expectEqual(logs.far.entries, [], "received on the far side before send returned");
    await logs.far.messagesCame(1);
    near.close();
    expectEqual([...logs.near.entries, ...logs.far.messages.slice(1)], [], "received before close returned");
    far.terminate();
    near.terminate();
    expectEqual([logs.near.ends, logs.far.ends], [[], []], "ends told before terminate returned");
    await logs.near.end();
    await logs.far.end();
  }),

  contractCase(
    "T9-nothing-early",
    "messages that arrive before onMessage is set are delivered once it is, in order",
    async ({ near, far, logs }) => {
      const messages = numbered(50, 100);
      for (const text of messages) near.send(text);
      await quiet();
      logs.far.listen(far);
      expectEqual(logs.far.entries, [], "received inside the setting of onMessage");
      near.send("last");
      await logs.far.messagesCame(messages.length + 1);
      expectEqual(logs.far.messages, [...messages, "last"], "messages on the far side");
    },
    { unset: "far" },
  ),

  contractCase(
    "T9-before-the-end",
    "messages that nobody took yet are delivered before a close that came behind them",
    async ({ near, far, logs }) => {
      near.send("one");
      near.send("two");
      near.close();
      await quiet();
      expectEqual(logs.far.entries, [], "received on the far side before onMessage was set");
      logs.far.listen(far);
      await logs.far.end();
      expectEqual(
        logs.far.entries.slice(0, 3).map((one) => (one.kind === "message" ? one.text : "end")),
        ["one", "two", "end"],
        "received on the far side",
      );
    },
    { unset: "far" },
  ),

  contractCase("T10-handlers", "a handler that throws stops nothing", async ({ near, far, logs }) => {
    const taken: string[] = [];
    const { onMessage } = far;
    far.onMessage = (text) => {
      onMessage?.(text);
      taken.push(text);
      throw new RangeError("thrown by the transport contract, on purpose");
    };
    near.send("one");
    near.send("two");
    await logs.far.messagesCame(2);
    far.send("back");
    await logs.near.messagesCame(1);
    expectEqual(taken, ["one", "two"], "messages taken by the handler that throws");
    near.close();
    expectThat((await logs.far.end()).clean, "the close after it was not clean");
  }),

  contractCase(
    "T10-directions",
    "a side that does not read can still send",
    async ({ near, far, logs, harness }) => {
      const text = "x".repeat(Math.ceil(harness.highWaterBytes / 8));
      for (let count = 0; count < 32; count++) near.send(text);
      const answers = numbered(100, 100);
      for (const one of answers) far.send(one);
      await logs.near.messagesCame(answers.length);
      expectEqual(logs.near.messages, answers, "messages on the near side");
    },
    { unset: "far" },
  ),

  contractCase(
    "T11-bound",
    "a message over the limit ends the link with 1009, and no part of it is delivered",
    async ({ near, logs, harness }) => {
      near.send("small");
      near.send("x".repeat(harness.maxMessageBytes + 1));
      near.send("behind it");
      const far = await logs.far.end();
      const end = await logs.near.end();
      expectEqual(logs.far.messages, ["small"], "messages on the far side");
      expectEqual([far.code, end.code], [1009, 1009], "close codes, far and near");
      expectEqual([far.clean, end.clean], [false, false], "clean, far and near");
    },
  ),

  contractCase("T11-limit", "a message of exactly the limit is delivered", async ({ near, logs, harness }) => {
    near.send("é".repeat(harness.maxMessageBytes / 2));
    await logs.far.messagesCame(1);
    expectEqual(logs.far.messages[0]?.length, harness.maxMessageBytes / 2, "characters that arrived");
  }),
];
