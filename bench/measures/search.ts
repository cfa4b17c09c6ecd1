import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sessionId } from "@daemon-sdk/protocol";
import { SqliteStore } from "../../packages/local-daemon/src/storage/sqlite-store.js";
import { message, sessionRow } from "../../packages/local-daemon/test/storage/store-contract.js";
import { type Measure, quantile } from "../measure.js";
import { figuresOf } from "../roles/process-figures.js";
import { startRole } from "../roles/role.js";
import { connectTo } from "./lanes.js";

const SESSIONS = 10_000;
const MESSAGES_EACH = 4;
const SESSIONS_PER_COMMIT = 100;
const SEARCHES = 10;
const OURS = "searchSessions() on our daemon";
const WORDS = "agent daemon socket journal cursor credit turn prompt answer tool permission page search index".split(
  " ",
);

/** Search among stored conversations, once the index is there. */
export const search: Measure = {
  name: "search",
  title: `Search among ${SESSIONS} sessions, p50 of ${SEARCHES}`,
  unit: "ms",
  better: "less",
  rounds: 3,
  warmUpRounds: 1,
  bars: [
    { contestant: OURS, atMost: 100 },
    { contestant: OURS, figure: "ms for which the loop was held at most", atMost: 20 },
  ],
  async open() {
    const directory = mkdtempSync(join(tmpdir(), "daemon-sdk-bench-"));
    const stateDir = join(directory, "state");
    mkdirSync(stateDir, { mode: 0o700 });
    await fill(join(stateDir, "daemon.db"));
    const daemon = await startRole("daemon", stateDir);
    const connection = await connectTo(daemon);
    return {
      contestants: [
        {
          name: OURS,
          async round() {
            await figuresOf(daemon, "loop");
            const figures: number[] = [];
            for (let at = 0; at < SEARCHES; at += 1) {
              const started = performance.now();
              await connection.searchSessions({ query: `${WORDS[at % WORDS.length]} number-${at * 7}` });
              figures.push(performance.now() - started);
            }
            const { heldMs } = await figuresOf(daemon, "loop");
            return { figure: quantile(figures, 0.5), also: { "ms for which the loop was held at most": heldMs } };
          },
        },
      ],
      async close() {
        await connection.close();
        await daemon.stop();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

/** Sessions of the key of the bench, with conversations of common words. */
async function fill(path: string): Promise<void> {
  const store = new SqliteStore({ path });
  await store.open();
  for (let first = 0; first < SESSIONS; first += SESSIONS_PER_COMMIT) {
    const writes = Array.from({ length: SESSIONS_PER_COMMIT }, (_, at) => sessionOf(first + at)).flat();
    await store.commit(writes);
  }
  await store.close();
}

function sessionOf(at: number) {
  const id = sessionId(`session-${at}`);
  const texts = Array.from({ length: MESSAGES_EACH }, (_, number) =>
    Array.from({ length: 40 }, (_unused, word) => WORDS[(at * 7 + number * 3 + word * word) % WORDS.length]).join(" "),
  );
  return [
    { kind: "session", row: sessionRow(id, { agentSessionId: undefined }) } as const,
    ...texts.map(
      (text, number) =>
        ({
          kind: "message",
          sessionId: id,
          message: message(`m-${at}-${number}`, `${text} number-${at % 100}`),
        }) as const,
    ),
  ];
}
