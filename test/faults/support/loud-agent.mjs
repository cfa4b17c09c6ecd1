// An agent of two prompts: `loud <deltas> <bytes> <ms>` says all of it within that time, `tick <n> 0 <ms>` says each time at which
// it says it.
import { setTimeout as delay } from "node:timers/promises";
import { FakeAgent } from "@daemon-sdk/testing";
import { runFakeAgent } from "@daemon-sdk/testing/node";

const TEXTS = {
  loud: (index, bytes) => `${index} `.padEnd(bytes, "."),
  tick: () => String(process.hrtime.bigint()),
};

const agent = new FakeAgent();
agent.onPrompt(async (prompt) => {
  const [kind, ...numbers] = prompt.text.split(" ");
  const [count, bytes, ms] = numbers.map(Number);
  const started = performance.now();
  for (let said = 0; said < count; await delay(5)) {
    const due = Math.min(count, Math.floor(((performance.now() - started) / ms) * count));
    for (; said < due; said += 1) prompt.delta(TEXTS[kind](said, bytes));
  }
});
await runFakeAgent(agent);
