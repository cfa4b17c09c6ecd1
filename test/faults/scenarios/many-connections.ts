import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "../../stress/check.js";
import { RoleProcess } from "../roles/role.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { bytes, quantile, round } from "../support/figures.js";
import { type Frame, RawClient } from "../support/raw-client.js";

const SESSIONS_EACH = 10;
const CONNECTING_AT_ONCE = 20;
const P99_MS = 25;
const GROWTH_BYTES = 60 * 2 ** 20;

/** L3: many connections, each with a few sessions that tell something now and then. */
export const manyConnectionScenarios: readonly FaultScenario[] = [
  {
    id: "L3",
    title:
      "a thousand connections with ten sessions each get an event a second from each, soon, and the daemon stays small",
    isQuick: true,
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
  const arrivals = new Arrivals(connections * SESSIONS_EACH * seconds);
  const clients: RawClient[] = [];
  try {
    for (let done = 0; done < connections; done += CONNECTING_AT_ONCE) {
      const open = () => openClient(`ws://127.0.0.1:${port}`, token, directory, arrivals);
      const count = Math.min(CONNECTING_AT_ONCE, connections - done);
      clients.push(...(await Promise.all(Array.from({ length: count }, open))));
    }
    const { rss: base = 0 } = await daemon.ask({ memory: true });
    const { told } = await daemon.ask({ seconds });
    assert.equal(told, arrivals.wanted, "events told");
    await within(30_000, arrivals.all);
    const { rss = 0 } = await daemon.ask({ memory: true });
    const p99 = quantile(arrivals.delays, 0.99);
    assert.equal(arrivals.misplaced, 0, "lost, doubled or out of order");
    assert.ok(p99 <= P99_MS * context.slowness, `p99 ${round(p99)} ms`);
    assert.ok(rss <= base + GROWTH_BYTES, `resident memory ${bytes(base)} → ${bytes(rss)}`);
    return (
      `${told} events over ${connections} connections × ${SESSIONS_EACH} sessions, p50 ${round(quantile(arrivals.delays, 0.5))} ms, ` +
      `p99 ${round(p99)} ms; RSS ${bytes(base)} → ${bytes(rss)}`
    );
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
}

async function openClient(url: string, token: string, cwd: string, arrivals: Arrivals): Promise<RawClient> {
  const client = await RawClient.connect(url, token);
  client.onFrame = (frame) => arrivals.take(frame);
  for (let index = 0; index < SESSIONS_EACH; index += 1) {
    const { error } = await client.call("initialize_session", { token, machineId: "m", cwd });
    assert.equal(error, undefined, error?.message);
  }
  return client;
}

/** What all clients got: how long each event was on its way, and whether it was the next one of its session. */
class Arrivals {
  readonly delays: number[] = [];
  readonly all: Promise<void>;
  misplaced = 0;
  readonly #seqs = new Map<unknown, number>();
  #tellAll!: () => void;

  constructor(readonly wanted: number) {
    this.all = new Promise((resolve) => {
      this.#tellAll = resolve;
    });
  }

  take({ params, _meta: meta }: Frame): void {
    const told = Object(params?.notification) as { type?: string; textDelta?: string };
    if (params === undefined || meta === undefined) return;
    const last = this.#seqs.get(params.sessionId);
    if (last !== undefined && meta.seq !== last + 1) this.misplaced += 1;
    this.#seqs.set(params.sessionId, meta.seq);
    if (told.type !== "assistant_text_delta") return;
    this.delays.push(performance.timeOrigin + performance.now() - Number(told.textDelta));
    if (this.delays.length === this.wanted) this.#tellAll();
  }
}
