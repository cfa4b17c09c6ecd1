import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sessionId } from "@daemon-sdk/protocol";
import { SqliteStore } from "../../packages/local-daemon/src/storage/sqlite-store.js";
import { sessionRow } from "../../packages/local-daemon/test/storage/store-contract.js";
import type { Measure } from "../measure.js";
import { openDaemon, openSessions } from "./lanes.js";
import { readTurn, timed } from "./whole-path.js";

const STORED = 100_000;
const STORED_PER_COMMIT = 1_000;
const AGENTS = 1_000;
/** How many of the agents write at a time, and the deltas of a round in all. */
const AT_WORK = [1, 10, 100, 300, 1_000];
const EVENTS = 60_000;

/**
 * One daemon with a thousand live agents and a hundred thousand stored sessions: what it delivers while more and more of the agents
 * write, and what it takes for each event. Where the first figure no longer grows, the daemon's one thread is at work all the time.
 */
export const scale: Measure = {
  name: "scale",
  title: `Scale: ${AGENTS} live agents, ${STORED} stored sessions`,
  unit: "events/s",
  better: "more",
  rounds: 3,
  warmUpRounds: 1,
  isOnDemand: true,
  async open() {
    const directory = mkdtempSync(join(tmpdir(), "daemon-sdk-bench-"));
    const stateDir = join(directory, "state");
    mkdirSync(stateDir, { mode: 0o700 });
    await fill(join(stateDir, "daemon.db"));
    const { daemon, connection } = await openDaemon(stateDir);
    const sessions = await openSessions(connection, AGENTS);
    return {
      contestants: AT_WORK.map((count) => ({
        name: `${count} of ${AGENTS} agents`,
        round() {
          const each = Math.floor(EVENTS / count);
          const work = () => Promise.all(sessions.slice(0, count).map((session) => readTurn(session, each)));
          return timed(daemon, each * count, work);
        },
      })),
      async close() {
        await connection.close();
        await daemon.stop();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

async function fill(path: string): Promise<void> {
  const store = new SqliteStore({ path });
  await store.open();
  for (let first = 0; first < STORED; first += STORED_PER_COMMIT) {
    const rows = Array.from({ length: STORED_PER_COMMIT }, (_, at) =>
      sessionRow(sessionId(`stored-${first + at}`), { agentSessionId: undefined }),
    );
    await store.commit(rows.map((row) => ({ kind: "session", row }) as const));
  }
  await store.close();
}
