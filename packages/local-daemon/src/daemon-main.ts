/**
 * The daemon as a process of its own: `node dist/daemon.cjs [--port <n>] [--take-over [--wait <ms>]]`, with DAEMON_SDK_HOME naming its
 * state.
 */
import { parseArgs } from "node:util";
import { runDaemon } from "./daemon/index.js";

const { values } = parseArgs({
  options: { port: { type: "string" }, "take-over": { type: "boolean" }, wait: { type: "string" } },
  strict: true,
});

void runDaemon({
  port: numberOf(values.port),
  takesOver: values["take-over"],
  waitMs: numberOf(values.wait),
  handsOver: true,
}).then((code) => {
  process.exitCode = code;
});

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
