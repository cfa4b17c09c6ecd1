/**
 * A fleet: one nats-server, three daemons in three state directories, and one service that places twelve sessions. A machine is killed in
 * the middle of turns; the service states what is missing meanwhile, and finds everything after the restart.
 *
 * `--json` makes the last line of the output a summary for machines. Needs `nats-server` (`apt-get install nats-server`).
 */
import { connectFleet, type Fleet, type FleetMachine } from "@daemon-sdk/fleet";
import { FleetStage } from "./fleet-demo/stage.js";

const SESSIONS = 12;
const KILLED = "eu-2";
const MACHINES = { "eu-1": "eu", [KILLED]: "eu", "us-1": "us" };
const started = performance.now();

await using stage = await FleetStage.open(MACHINES);
await using fleet = await connectFleet({ servers: stage.url });
await until(fleet, (machines) => machines.filter(({ state }) => state === "online").length === 3);
console.log(
  `machines ${[...fleet.machines()].map(({ machineId, labels }) => `${machineId} (${labels.region})`).join(", ")}`,
);

const sessions = await Promise.all(
  Array.from({ length: SESSIONS }, () => fleet.createSession({ cwd: stage.workspace, autonomyLevel: "high" })),
);
const placed = await fleet.listSessions();
for (const machineId of Object.keys(MACHINES)) {
  const here = placed.items.filter((session) => session.machineId === machineId).length;
  console.log(`placed   ${here} of ${SESSIONS} sessions on ${machineId}`);
}

let isKilled = false;
const ends = await Promise.all(sessions.map((session) => workThroughKill(session)));
console.log(
  `turns    ${ends.length} of ${SESSIONS} ended, each once: ${count(ends, true)} completed, ${count(ends, false)} broken off`,
);

const found = await fleet.listSessions();
const again = await Promise.all(sessions.map(({ sessionId }) => fleet.resumeSession(sessionId)));
const isWhole = found.missing.length === 0 && found.items.length === SESSIONS && again.length === SESSIONS;
console.log(`found    ${found.items.length} sessions, ${found.missing.length} machines missing; all of them resumed`);
const durationMs = Math.round(performance.now() - started);
console.log(
  process.argv.includes("--json")
    ? JSON.stringify({ machines: 3, sessions: SESSIONS, killed: KILLED, ended: ends.length, isWhole, durationMs })
    : `\nAll of it in ${(durationMs / 1_000).toFixed(1)} s.`,
);
if (!isWhole) throw new Error("A session of the demo was not found again.");

/** Resolves with whether the turn completed. The first text of all turns has the machine killed. */
async function workThroughKill(session: Awaited<ReturnType<Fleet["createSession"]>>): Promise<boolean> {
  const completed: boolean[] = [];
  for await (const event of session.stream("count 100 every 30", { includePartialMessages: true })) {
    if (event.type === "result") completed.push(event.success);
    if (isKilled || event.type !== "assistant_text_delta") continue;
    isKilled = true;
    void killAndRestart();
  }
  const [only = false, ...others] = completed;
  if (completed.length !== 1) throw new Error(`A turn ended ${others.length + 1} times.`);
  return only;
}

async function killAndRestart(): Promise<void> {
  await stage.kill(KILLED);
  console.log(`killed   ${KILLED}, in the middle of its turns`);
  await until(fleet, (machines) => machines.some(({ machineId, state }) => machineId === KILLED && state === "lost"));
  const { items, missing } = await fleet.listSessions();
  const names = missing.map(({ machineId, error }) => `${machineId} (${(error as { code?: string }).code})`).join(", ");
  console.log(`missing  ${names}; the other machines have ${items.length} sessions`);
  stage.start(KILLED);
  await until(fleet, (machines) => machines.every(({ state }) => state === "online"));
  console.log(`back     ${KILLED}, with its sessions`);
}

async function until(of: Fleet, holds: (machines: readonly FleetMachine[]) => boolean): Promise<void> {
  for await (const machines of of.machines().changes()) if (holds(machines)) return;
}

function count(values: readonly boolean[], wanted: boolean): number {
  return values.filter((value) => value === wanted).length;
}
