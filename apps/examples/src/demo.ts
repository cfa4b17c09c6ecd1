/**
 * The main job: one daemon, two sessions on one WebSocket, each with an agent process that works on real files, requests
 * permission, is interrupted, and comes back.
 *
 * `--json` makes the last line of the output a summary for machines. `--keep` leaves the daemon running. `--open` opens the daemon's
 * console, and keeps the daemon until Ctrl-C.
 */
import { connectDaemon } from "@daemon-sdk/client";
import { Cast } from "./demo/cast.js";
import { interruptLongTurn, resumeAndRecall, workOnFiles } from "./demo/scenes.js";
import { openStage } from "./demo/stage.js";
import { printSummary, type Summary } from "./demo/summary.js";
import { isAlive, processEnded } from "./processes.js";

const isJson = process.argv.includes("--json");
const isKept = process.argv.includes("--keep");
const isOpened = process.argv.includes("--open");
const started = performance.now();

const stage = await openStage();
let summary: Summary;
try {
  summary = await perform();
  if (isOpened) {
    printSummary(summary, isJson);
    await stage.showConsole();
  }
} finally {
  if (!isKept) await stage.stop();
}
if (!isKept) {
  // The agents are children of the daemon and not of this process, so each of them is checked.
  await Promise.all([summary.daemonPid, ...summary.agentPids].map(processEnded));
  console.log("\nThe daemon has stopped; it and its agents are gone.");
} else {
  console.log(`\nThe daemon keeps running. Stop it with: DAEMON_SDK_HOME=${stage.stateDir} npx local-daemon stop`);
}
if (!isOpened) {
  printSummary(summary, isJson);
  if (!isJson) console.log("\nTo look at the sessions in a browser: npm run demo -- --open");
}

async function perform(): Promise<Summary> {
  console.log(`daemon   process ${stage.daemonPid}, state in ${stage.stateDir}`);
  await using connection = await connectDaemon();
  const cast = await Cast.assemble(connection, stage.workspace);
  const files = await workOnFiles(cast);
  const agentPids = stage.agentPids();
  console.log(`agents   processes ${agentPids.join(" and ")}, children of the daemon`);
  await interruptLongTurn(cast);
  await resumeAndRecall(connection, cast);
  const sockets = await stage.countSockets();
  if (![stage.daemonPid, ...agentPids].every(isAlive)) throw new Error("A process of the demo ended before its time.");
  return {
    daemonPid: stage.daemonPid,
    agentPids,
    sessions: cast.sessions.length,
    sockets,
    ...cast.counts,
    files,
    durationMs: Math.round(performance.now() - started),
  };
}
