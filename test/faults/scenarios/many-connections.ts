import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "../../stress/check.js";
import { RoleProcess } from "../roles/role.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { bytes, round } from "../support/figures.js";

const SESSIONS_EACH = 10;
const P99_MS = 25;
const GROWTH_BYTES = 60 * 2 ** 20;

/** L3: many connections, each with a few sessions that have events now and then. */
export const manyConnectionScenarios: readonly FaultScenario[] = [
  {
    id: "L3",
    title:
      "a thousand connections with ten sessions each get an event a second from each, soon, and the daemon stays small",
    // Not in the sample, which could not hold its mark: that no event is lost is L1.
    limitMs: 240_000,
    async run(context) {
      const directory = mkdtempSync(join(tmpdir(), "many-"));
      try {
        return await feedAll(context, directory);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
  },
];

async function feedAll(context: FaultContext, directory: string): Promise<string> {
  const connections = context.count(1_000, 20);
  const seconds = context.count(60, 3);
  const stateDir = join(directory, "state");
  await using daemon = RoleProcess.start("ticking-daemon", { args: [stateDir], execArgv: ["--expose-gc"] });
  const { port } = await daemon.next();
  const token = readFileSync(join(stateDir, "token"), "utf8").trim();
  await using clients = RoleProcess.start("many-clients", { args: [`ws://127.0.0.1:${port}`, token, directory] });
  await clients.next();
  await clients.ask({ open: connections, each: SESSIONS_EACH });
  const { rss: base = 0 } = await daemon.ask({ memory: true });
  const wanted = connections * SESSIONS_EACH * seconds;
  await clients.ask({ receive: wanted });
  const { micros: before = 0 } = await daemon.ask({ cpu: true });
  const { told = 0 } = await daemon.ask({ seconds });
  assert.equal(told, wanted, "events told");
  const { p50 = 0, p99 = 0, misplaced, cpuMicros = 0 } = await within(30_000, clients.next());
  const { micros = 0 } = await daemon.ask({ cpu: true });
  const { rss = 0 } = await daemon.ask({ memory: true });
  const figures =
    `p50 ${round(p50)} ms, p99 ${round(p99)} ms; RSS ${bytes(base)} → ${bytes(rss)}; ` +
    `CPU per event ${round((micros - before) / told)} µs of the daemon, ${round(cpuMicros / told)} µs of all clients`;
  assert.equal(misplaced, 0, "lost, doubled or out of order");
  assert.ok(p99 <= P99_MS * context.slowness, figures);
  assert.ok(rss <= base + GROWTH_BYTES, figures);
  return `${told} events over ${connections} connections × ${SESSIONS_EACH} sessions, ${figures}`;
}
