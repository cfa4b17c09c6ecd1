import assert from "node:assert/strict";
import { connectDaemon, type DaemonSession } from "@daemon-sdk/client";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { quantile, round } from "../support/figures.js";
import { startForeground } from "../support/foreground-daemon.js";
import { hostileAgents } from "../support/hostile-agent.js";
import { runParts } from "../support/parts.js";

/** What an agent may write, and for how long it does. */
const NOISES: Readonly<Record<string, string>> = {
  junk: "lines of one letter",
  log: "lines of a log",
  noise: "bytes that are no text",
  endless: "a line without an end",
  deltas: "tiny deltas",
  stderr: "a log on stderr",
};
const NOISE_MS = 4_000;
const OTHERS = 3;
const TICKS_PER_SECOND = 50;
const SLOWDOWN = 2;
const SLACK_MS = 10;
const ROUNDS = 3;
const HANGS_MS = 60_000;

/** Z3: agents that write whatever they like. */
export const noisyAgentScenarios: readonly FaultScenario[] = [
  {
    id: "Z3",
    title: "an agent that writes without pause does not delay other sessions",
    isQuick: true,
    limitMs: 400_000,
    async run(context) {
      await using daemon = await startForeground({ config: hostileAgents() });
      await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
      const open = () => connection.createSession({ cwd: daemon.workspace });
      const others = await Promise.all(Array.from({ length: OTHERS }, open));
      await latency(others, context.count(NOISE_MS, 300));
      const parts = context.some(Object.entries(NOISES), 2).map(([noise, name]) => {
        const run = async () => {
          await using session = await open();
          return await hear(noise, session, others, context);
        };
        return [name, run] as const;
      });
      return `p99 of ${OTHERS} other sessions: ${await runParts(Object.fromEntries(parts))}`;
    },
  },
];

/** Quiet and noisy rounds in turns, so that what else runs here hits both; the best of each. */
async function hear(
  noise: string,
  session: DaemonSession,
  others: readonly DaemonSession[],
  context: FaultContext,
): Promise<string> {
  const ms = context.count(NOISE_MS, 300);
  const quiet: number[] = [];
  const noisy: number[] = [];
  for (let turn = 0; turn < context.count(ROUNDS); turn += 1) {
    quiet.push(await latency(others, ms));
    // Nobody reads the session; what counts is what its output costs the others.
    const { messageId } = await session.send(`${noise} ${ms}`);
    noisy.push(await latency(others, ms));
    const { state } = await within(HANGS_MS * context.slowness, session.waitForReceipt(messageId));
    assert.match(state, /^(completed|failed)$/, "the turn ended");
  }
  const [still, loud] = [Math.min(...quiet), Math.min(...noisy)];
  const mark = (SLOWDOWN * still + SLACK_MS) * Math.max(1, context.slowness);
  assert.ok(loud <= mark, `p99 of the others ${round(loud)} ms, quiet ${round(still)} ms`);
  return `${round(loud)} ms (quiet ${round(still)})`;
}

/** 99 of 100 events of these sessions take no longer from the agent to the client, in ms. */
async function latency(sessions: readonly DaemonSession[], ms: number): Promise<number> {
  const took: number[] = [];
  const listen = async (session: DaemonSession) => {
    const prompt = `tick ${Math.round((ms / 1_000) * TICKS_PER_SECOND)} ${ms}`;
    for await (const event of session.stream(prompt, { includePartialMessages: true })) {
      if (event.type === "assistant_text_delta") took.push(Number(process.hrtime.bigint() - BigInt(event.text)) / 1e6);
    }
  };
  await Promise.all(sessions.map(listen));
  return quantile(took, 0.99);
}
