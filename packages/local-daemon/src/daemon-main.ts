/** The daemon as a process of its own: `node dist/daemon.cjs [--port <n>]`, with DAEMON_SDK_HOME naming its state. */
import { parseArgs } from "node:util";
import { runDaemon } from "./daemon/index.js";

const { values } = parseArgs({ options: { port: { type: "string" } }, strict: true });

void runDaemon({ port: values.port === undefined ? undefined : Number(values.port) }).then((code) => {
  process.exitCode = code;
});
