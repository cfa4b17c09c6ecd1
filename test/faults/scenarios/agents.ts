import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { environmentOf } from "../support/daemon-home.js";
import { round, withoutProc } from "../support/figures.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { orphansAfterKills } from "../support/orphans.js";

/** Programs are started in the root of the repository. */
const MISBEHAVING = join(process.cwd(), "packages", "local-daemon", "test", "fixtures", "misbehaving-agent.mjs");
const SOON_MS = 20_000;
const LADDER_MS = 4_000;
const RESTARTS = 5;

/** F10, F11: agents are other people's programs. */
export const agentScenarios: readonly FaultScenario[] = [
  {
    id: "F10",
    title: "however an agent ends, its turn ends once, with code and signal, and nothing of it stays",
    isQuick: true,
    limitMs: 420_000,
    cannotRun: withoutProc,
    async run(context) {
      await using daemon = await startForeground({ config: { agents: agentsOf(), defaultAgent: "bad" } });
      await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
      const endings = context.some(ENDINGS, 2);
      for (const ending of endings) await endsOnce(connection, daemon, ending);
      await neverStarts(connection, daemon);
      const ladder = await ignoresSigterm(connection, daemon, context);
      await noZombies(daemon.pid);
      const orphans = await orphansAfterKills([process.execPath, MISBEHAVING], context);
      return `${orphans}; ${endings.length + 2} ways to go wrong, one end each, ignoring SIGTERM ended after ${round(ladder)} ms, no zombie`;
    },
  },
  {
    id: "F11",
    title: "an agent that keeps dying is started again a few times, then not, and that is said",
    limitMs: 90_000,
    async run() {
      await using daemon = await startForeground({ config: { agents: agentsOf(), defaultAgent: "counted" } });
      await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
      return await crashLoop(connection, daemon);
    },
  },
];

function agentsOf(): Record<string, { command: string[] }> {
  const counted = 'echo start >> starts.txt; exec "$0" "$@"';
  return {
    bad: { command: [process.execPath, MISBEHAVING] },
    "dies-at-start": { command: [process.execPath, MISBEHAVING, "dies-at-start"] },
    missing: { command: ["/no/such/program"] },
    counted: { command: ["/bin/sh", "-c", counted, process.execPath, MISBEHAVING] },
  };
}

interface Ending {
  readonly prompt: string;
  readonly code: number | null;
  readonly signal: string | null;
}

const ENDINGS: readonly Ending[] = [
  { prompt: "exit 0", code: 0, signal: null },
  { prompt: "exit 1", code: 1, signal: null },
  { prompt: "kill", code: null, signal: "SIGKILL" },
  { prompt: "half", code: null, signal: "SIGKILL" },
  { prompt: "stderr 4000000", code: 1, signal: null },
];

/** What the end of each turn of a session says. */
function endsOf(session: DaemonSession): Record<string, unknown>[] {
  const ends: Record<string, unknown>[] = [];
  session.onNotification((notification) => ends.push(notification), { type: "agent_turn_completed" });
  return ends;
}

async function endsOnce(connection: DaemonConnection, daemon: ForegroundDaemon, ending: Ending): Promise<void> {
  await using session = await connection.createSession({ cwd: daemon.workspace });
  const ends = endsOf(session);
  const types = await within(SOON_MS, typesOf(session, ending.prompt));
  assert.equal(types.filter((type) => type === "result").length, 1, `${ending.prompt}: one result`);
  // One more call, so that a second end would have come before its answer.
  await connection.listOpenedSessions();
  assert.equal(ends.length, 1, `${ending.prompt}: one end`);
  const { reason, exitCode = null, signal = null } = ends[0] ?? {};
  assert.deepEqual([reason, exitCode, signal], ["agent_exited", ending.code, ending.signal], ending.prompt);
}

async function typesOf(session: DaemonSession, prompt: string): Promise<string[]> {
  const types: string[] = [];
  for await (const event of session.stream(prompt)) types.push(event.type);
  return types;
}

async function neverStarts(connection: DaemonConnection, daemon: ForegroundDaemon): Promise<void> {
  for (const [agent, says] of [
    ["missing", /no\/such\/program/],
    ["dies-at-start", /no licence|exit code 3|code 3/],
  ] as const) {
    const opening = connection.createSession({ cwd: daemon.workspace, agent });
    await assert.rejects(within(SOON_MS, opening), (error) => says.test(String(error)), agent);
  }
}

/** Its stdin ends, it gets SIGTERM, it stays; then SIGKILL. How long that took. */
async function ignoresSigterm(
  connection: DaemonConnection,
  daemon: ForegroundDaemon,
  context: FaultContext,
): Promise<number> {
  const session = await connection.createSession({ cwd: daemon.workspace });
  for await (const event of session.stream("deaf", { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") break;
  }
  const mark = `\0DAEMON_SDK_SESSION=${session.sessionId}\0`;
  const isThere = () =>
    readdirSync("/proc").some((name) => /^\d+$/.test(name) && environmentOf(Number(name)).includes(mark));
  assert.ok(isThere(), "it runs");
  const started = performance.now();
  void session.close();
  while (isThere()) {
    assert.ok(performance.now() - started < SOON_MS, "it is ended");
    await delay(20);
  }
  const took = performance.now() - started;
  assert.ok(took <= (LADDER_MS + 1_000) * context.slowness, `the ladder took ${round(took)} ms`);
  return took;
}

/** Whoever died last is a zombie until the daemon has had its turn on the processor; one that it forgets stays one. */
async function noZombies(daemonPid: number): Promise<void> {
  const deadline = performance.now() + SOON_MS;
  while (zombiesOf(daemonPid).length > 0 && performance.now() < deadline) await delay(20);
  assert.deepEqual(zombiesOf(daemonPid), [], "zombies");
}

/** Children of a process that have ended and that it has not looked after. */
function zombiesOf(parent: number): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, parentPid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" && Number(parentPid) === parent;
    } catch {
      return false;
    }
  });
}

async function crashLoop(connection: DaemonConnection, daemon: ForegroundDaemon): Promise<string> {
  await using session = await connection.createSession({ cwd: daemon.workspace });
  const ends = endsOf(session);
  const prompts = 2 * RESTARTS + 2;
  const said: string[] = [];
  for (let turn = 0; turn < prompts; turn += 1) {
    said.push(
      await within(SOON_MS, resultText(session, "exit 1")).catch((error: unknown) =>
        String(Object(error).code ?? error),
      ),
    );
  }
  const path = join(daemon.workspace, "starts.txt");
  const starts = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").length : 0;
  assert.ok(starts <= RESTARTS + 1, `${starts} starts`);
  assert.ok(starts >= 2, "it is started again at first");
  assert.ok(
    said.some((text) => text.includes("AGENT_UNSTABLE")),
    said.join("\n"),
  );
  assert.equal(ends.length <= prompts, true);
  return `${starts} starts for ${prompts} prompts, then AGENT_UNSTABLE each time`;
}

async function resultText(session: DaemonSession, prompt: string): Promise<string> {
  let text = "";
  for await (const event of session.stream(prompt)) if (event.type === "result") text = JSON.stringify(event);
  return text;
}
