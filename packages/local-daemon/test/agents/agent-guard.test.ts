import { setTimeout as delay } from "node:timers/promises";
import { newId } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { AgentGuard } from "../../src/agents/agent-guard.js";
import { guardsOf } from "./guards.js";

// What a guard is for is shown by programs that die: no-state-dir.test.ts.
test.skipIf(process.platform !== "linux")(
  "a guard that was killed is replaced before the next agent starts, and dismissed at the end",
  { timeout: 20_000 },
  async () => {
    const instanceId = newId();
    const guard = new AgentGuard({ instanceId });
    await guard.ready();
    await guard.ready();
    const [first = 0, ...others] = guardsOf(instanceId);
    expect(others).toEqual([]);
    process.kill(first, "SIGKILL");
    while (guardsOf(instanceId).includes(first)) await delay(10);
    // Its end is an event, and the file of a dead process is gone before.
    let second = first;
    while (second === first || second === undefined) {
      await delay(10);
      await guard.ready();
      [second = first] = guardsOf(instanceId);
    }
    guard.close();
    while (guardsOf(instanceId).length > 0) await delay(10);
  },
);
