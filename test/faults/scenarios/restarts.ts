import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { type ChaosConnection, ChaosProxy } from "@daemon-sdk/testing/node";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { daemonHome } from "../support/daemon-home.js";
import { quantile, round } from "../support/figures.js";
import { journalsOf, Told } from "../support/told.js";

/** Programs are started in the root of the repository. */
const AGENT = join(process.cwd(), "test", "faults", "support", "talking-agent.mjs");
const SESSIONS = 100;
const WATCHED = 10;
const KILLS = 20;
const CALLS = 20;
const SETTLE_MS = 1_000;
const UP_MS = 1_500;
const SOON_MS = 60_000;
/** A tenth of what the watched sessions say. */
const LAG_BYTES_PER_SECOND = 17_000;
const AGENT_BYTES = 50 * 2 ** 20;

/** F1: the daemon dies in the middle of everything. */
export const restartScenarios: readonly FaultScenario[] = [
  {
    id: "F1",
    title: "a daemon killed in mid-stream is replaced, every call settles, and every stream goes on to one end",
    isQuick: true,
    limitMs: 400_000,
    cannotRun() {
      const isShort = freemem() < SESSIONS * AGENT_BYTES;
      return isShort ? `${SESSIONS} agents need ${SESSIONS * 50} MiB of memory` : undefined;
    },
    run: survive,
  },
];

interface Endpoint {
  readonly pid: number;
  readonly port: number;
}

async function survive(context: FaultContext): Promise<string> {
  await using home = daemonHome();
  const workspace = join(home.state, "..", "work");
  mkdirSync(workspace);
  mkdirSync(home.state, { mode: 0o700 });
  const config = { port: 0, agents: { talking: { command: [process.execPath, AGENT] } }, defaultAgent: "talking" };
  writeFileSync(join(home.state, "config.json"), JSON.stringify(config), { mode: 0o600 });
  process.env.DAEMON_SDK_HOME = home.state;
  await using connection = await connectDaemon();
  const ticket = async () => (await connection.createTicket()).ticket;
  const lag = { bytesPerSecond: LAG_BYTES_PER_SECOND };
  const onConnection = ({ toClient }: ChaosConnection) => toClient.bandwidth(lag.bytesPerSecond);
  await using proxy = await ChaosProxy.start({ target: { path: join(home.state, "daemon.sock") }, onConnection });
  await using lagging = await connectDaemon({ url: `ws://127.0.0.1:${proxy.port}`, ticket });
  return await killInTurns({ connection, lagging, lag, proxy, state: home.state, workspace }, context);
}

interface Ground {
  readonly connection: DaemonConnection;
  readonly lagging: DaemonConnection;
  readonly proxy: ChaosProxy;
  /** How fast the lagging client's links are, the next ones, too. */
  readonly lag: { bytesPerSecond: number };
  readonly state: string;
  readonly workspace: string;
}

async function killInTurns(ground: Ground, context: FaultContext): Promise<string> {
  const { connection, lagging, proxy, state } = ground;
  const told = new Told();
  const toldLate = new Told();
  const count = context.count(SESSIONS, WATCHED);
  const sessions = await Promise.all(
    Array.from({ length: count }, () => connection.createSession({ cwd: ground.workspace })),
  );
  for (const session of sessions) told.follow(session);
  for (const { sessionId } of sessions.slice(0, WATCHED)) toldLate.follow(await lagging.resumeSession(sessionId));
  // A listener begins at the journal's end when the daemon handles its call; the answer shows that it has.
  await lagging.listOpenedSessions();
  const kills = context.count(KILLS, 2);
  const rounds: Round[] = [];
  for (let kill = 0; kill < kills; kill += 1) rounds.push(await oneKill(sessions, ground, context));
  ground.lag.bytesPerSecond = Number.POSITIVE_INFINITY;
  for (const { toClient } of proxy.connections) toClient.bandwidth(Number.POSITIVE_INFINITY);
  const journals = await journalsOf(
    access(state),
    sessions.map(({ sessionId }) => sessionId),
  );
  assert.equal(await told.check("the client", journals), kills * count);
  assert.equal(await toldLate.check("the lagging client", journals), kills * Math.min(count, WATCHED));
  return judge(rounds, told.words, count, context);
}

interface Round {
  readonly upMs: number;
  readonly settledMs: number;
  readonly endedMs: number;
  readonly talkedMs: number;
}

async function oneKill(sessions: readonly DaemonSession[], ground: Ground, context: FaultContext): Promise<Round> {
  const { connection, state } = ground;
  const talking = sessions.map((session) => new Talk(session));
  await within(SOON_MS, Promise.all(talking.map((talk) => talk.begun)));
  const begun = performance.now();
  await delay(200 + context.below(400));
  const { pid } = endpointOf(state);
  const calls = Array.from({ length: CALLS }, (_none, index) =>
    index % 2 === 0 ? connection.listOpenedSessions() : sessions[index % sessions.length]?.rename(`kill ${index}`),
  );
  const killed = performance.now();
  process.kill(pid, "SIGKILL");
  const up = untilUp(state, pid).then(() => performance.now());
  const settled = Promise.allSettled(calls).then(() => performance.now());
  const ended = Promise.all(talking.map((talk) => talk.ended)).then(() => performance.now());
  const [upAt, settledAt, endedAt] = await within(SOON_MS, Promise.all([up, settled, ended]));
  return { upMs: upAt - killed, settledMs: settledAt - upAt, endedMs: endedAt - upAt, talkedMs: killed - begun };
}

/** A turn of an agent that would talk for ever. */
class Talk {
  readonly begun: Promise<void>;
  readonly ended: Promise<void>;

  constructor(session: DaemonSession) {
    let begin = () => {};
    this.begun = new Promise((resolve) => {
      begin = resolve;
    });
    this.ended = this.#play(session, begin);
  }

  async #play(session: DaemonSession, begin: () => void): Promise<void> {
    const reasons: (string | undefined)[] = [];
    for await (const event of session.stream("talk", { includePartialMessages: true })) {
      assert.notEqual(event.type, "gap", "nothing was pruned, so there is no gap");
      if (event.type === "assistant_text_delta") begin();
      if (event.type === "result") reasons.push(event.reason);
    }
    assert.deepEqual(reasons, ["daemon_restarted"]);
  }
}

function endpointOf(state: string): Endpoint {
  return JSON.parse(readFileSync(join(state, "endpoint.json"), "utf8")) as Endpoint;
}

function access(state: string): { url: string; token: string } {
  const token = readFileSync(join(state, "token"), "utf8").trim();
  return { url: `ws://127.0.0.1:${endpointOf(state).port}`, token };
}

/** Until another daemon than that one has published where it listens. */
async function untilUp(state: string, pid: number): Promise<void> {
  while (endpointOf(state).pid === pid) await delay(2);
}

function judge(rounds: readonly Round[], words: number, sessions: number, context: FaultContext): string {
  const longest = (name: keyof Round) => Math.max(...rounds.map((one) => one[name]));
  const median = (name: keyof Round) =>
    quantile(
      rounds.map((one) => one[name]),
      0.5,
    );
  const { slowness } = context;
  assert.ok(longest("upMs") <= UP_MS * slowness, `a new daemon was up after ${round(longest("upMs"))} ms`);
  assert.ok(longest("settledMs") <= SETTLE_MS * slowness, `calls settled ${round(longest("settledMs"))} ms after that`);
  const rate = words / (rounds.reduce((sum, { talkedMs }) => sum + talkedMs, 0) / 1_000);
  const figure = (name: keyof Round) => `${round(median(name))} ms (longest ${round(longest(name))})`;
  return (
    `${rounds.length} kills, ${sessions} sessions at ${Math.round(rate)} events/s: new daemon up after ${figure("upMs")}, ` +
    `all calls settled ${figure("settledMs")} and all streams ended ${figure("endedMs")} after it; ${rounds.length * sessions} turns, one end each, 0 gaps`
  );
}
