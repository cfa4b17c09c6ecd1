import assert from "node:assert/strict";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { quantile, round } from "../support/figures.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { RawClient } from "../support/raw-client.js";
import { welchT } from "../support/welch.js";

const KEY = "fk-a-key-that-searches";
const TRIES = 3_000;
const MOST_T = 4.5;
/** Messages of the person that hold the word. */
const MESSAGES = 20;
const WORDS = { there: "hunterxyzzy", "not there": "hunterxyzza" };

/** S10: nothing learned from the time of a search. */
export const searchTimeScenarios: readonly FaultScenario[] = [
  {
    id: "S10",
    title: "how long a search of a key takes tells nothing of what others' sessions hold",
    // Not in the sample, which could not hold its mark.
    limitMs: 180_000,
    async run(context) {
      await using daemon = await startForeground({ config: { apiKeys: [KEY] } });
      await tellPerson(daemon);
      using key = await RawClient.dial(daemon.url);
      assert.equal((await key.call("authenticate", { caller: "faults", apiKey: KEY })).error, undefined);
      const times = await searchTimes(key, context);
      const [there, notThere] = [times[WORDS.there] ?? [], times[WORDS["not there"]] ?? []];
      const t = welchT(there, notThere);
      if (!context.isSample) assert.ok(Math.abs(t) < MOST_T, `Welch's t is ${round(t)}`);
      return `${there.length} searches each, p50 ${round(quantile(there, 0.5))} ms, Welch's t ${round(t)}`;
    },
  },
];

/** Lets the person's sessions hold the word, until a search of theirs finds it. */
async function tellPerson(daemon: ForegroundDaemon): Promise<void> {
  using person = await RawClient.connect(daemon.url, daemon.token);
  const made = await person.call("initialize_session", { token: "", machineId: "faults", cwd: daemon.workspace });
  const sessionId = made.result?.sessionId;
  for (let message = 0; message < MESSAGES; message += 1) {
    const { error } = await person.call("add_user_message", { sessionId, text: `say ${WORDS.there} ${message}` });
    assert.equal(error, undefined);
  }
  for (;;) {
    const { result } = await person.call("search_sessions", { query: WORDS.there, limitHitsPerSession: MESSAGES });
    const [session] = (result?.sessions ?? []) as { hits: unknown[] }[];
    if (session?.hits.length === MESSAGES) return;
  }
}

/** Searches for both words in random order, so that what else the machine does falls on both. */
async function searchTimes(key: RawClient, context: FaultContext): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = Object.fromEntries(Object.values(WORDS).map((word) => [word, []]));
  for (let attempt = -50; attempt < context.count(TRIES, 30); attempt += 1) {
    const words = Object.values(WORDS);
    if (context.random() < 0.5) words.reverse();
    for (const query of words) {
      const started = performance.now();
      const { result } = await key.call("search_sessions", { query });
      const took = performance.now() - started;
      assert.deepEqual(result?.sessions, [], "a key finds nothing of others");
      if (attempt >= 0) times[query]?.push(took);
    }
  }
  return times;
}
