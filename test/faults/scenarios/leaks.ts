import assert from "node:assert/strict";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { ClientUnderLoad } from "../support/client-under-load.js";
import { bytes } from "../support/figures.js";

const GROWTH_BYTES = 2 ** 20;
/** Weak references are cleared when the collector gets to it; what is held, is held in all of them. */
const ALIVE_SHARE = 0.001;

/** M1, M3: what a client that works for months must not keep. */
export const leakScenarios: readonly FaultScenario[] = [
  {
    id: "M1",
    title: "sessions that were opened, streamed and closed leave nothing in the client",
    isQuick: true,
    limitMs: 180_000,
    async run(context) {
      const { heap, alive, count } = await growthOf("turns", context);
      return `${count} × open, stream 10, close: heap ${heap}, ${alive} sessions still reachable`;
    },
  },
  {
    id: "M3",
    title: "streams that were left early leave no queue behind",
    isQuick: true,
    limitMs: 180_000,
    async run(context) {
      const { heap, alive, count } = await growthOf("breaks", context);
      return `${count} × break out of for await: heap ${heap}, ${alive} streams still reachable`;
    },
  },
];

async function growthOf(task: "turns" | "breaks", context: FaultContext) {
  const count = context.count(10_000);
  await using load = await ClientUnderLoad.start();
  // Code is compiled and tables have grown before memory is looked at.
  await load.ask(task, Math.min(1_000, count));
  const before = await load.ask("memory");
  const { alive = 0 } = await load.ask(task, count);
  const after = await load.ask("memory");
  const growth = (after.heapUsed ?? 0) - (before.heapUsed ?? 0);
  assert.ok(growth <= GROWTH_BYTES, `the heap grew by ${bytes(growth)}`);
  assert.ok(alive <= Math.max(1, count * ALIVE_SHARE), `${alive} of ${count} are still reachable`);
  return { heap: `${growth < 0 ? "" : "+ "}${bytes(growth)}`, alive, count };
}
