import { type ChildProcess, spawn } from "node:child_process";
import { failpointBuild } from "./failpoint-build.js";

/** Between every two steps of a start, in their order; the token is made, filled and renamed before the endpoint is. */
export const START_FAILPOINTS: readonly string[] = [
  "state-dir-opened",
  "lock-file-made",
  "locked",
  "socket-named",
  "leftovers-swept",
  "store-opened",
  "agents-reaped",
  "sessions-recovered",
  "relay-recovered",
  "socket-bound",
  "publishing",
  "private-file-made",
  "private-file-written",
  "private-file-renamed",
  "token-written",
  "socket-published",
  "private-file-made:2",
  "private-file-written:2",
  "private-file-renamed:2",
  "endpoint-written",
];

/** Starts the daemon as a program that is killed at that failpoint (`name`, or `name:n` for the n-th pass), or never. */
export function spawnDaemon(state: string, failpoint?: string): ChildProcess {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DAEMON_SDK_HOME: state };
  return spawn(process.execPath, [failpointBuild().daemon], {
    env: failpoint === undefined ? env : { ...env, DAEMON_TEST_FAILPOINT: failpoint },
    stdio: "inherit",
  });
}
