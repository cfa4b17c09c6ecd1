/** The daemon as a process of its own: what `dist/daemon.cjs` loads. */
import { parseArgs } from "node:util";
import { type FleetSettings, runDaemon } from "./daemon/index.js";

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    fleet: { type: "string" },
    "take-over": { type: "boolean" },
    wait: { type: "string" },
  },
  strict: true,
});

void runDaemon({
  port: numberOf(values.port),
  // Of our own `local-daemon start`, which checked it.
  fleet: values.fleet === undefined ? undefined : (JSON.parse(values.fleet) as FleetSettings),
  takesOver: values["take-over"],
  waitMs: numberOf(values.wait),
  handsOver: true,
}).then((code) => {
  process.exitCode = code;
});

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
