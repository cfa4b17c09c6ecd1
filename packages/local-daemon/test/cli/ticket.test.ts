import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { daemonHome } from "../rendezvous/daemon-home.js";
import { connectTcp } from "../server/daemon-desk.js";
import { failpointBuild } from "../support/failpoint-build.js";

/** The command line from its sources: what it prints, or its failure. */
async function cli(state: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DAEMON_SDK_HOME: state };
  return promisify(execFile)(process.execPath, [failpointBuild().bin, ...args], { env }).catch((error) => error);
}

test("ticket prints a credential that lets a page in once, and where; the log holds nothing of it (S5)", async () => {
  await using home = daemonHome();
  await cli(home.state, "start", "--port", "0");
  const { ticket, url } = JSON.parse((await cli(home.state, "ticket", "--json")).stdout);
  expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
  const port = Number(new URL(url).port);
  const page = await connectTcp(port, { ticket });
  expect((await page.call("list_opened_sessions", {})).result).toEqual({ sessions: [] });
  const again = await connectTcp(port, { ticket });
  expect((await again.call("list_opened_sessions", {})).error?.code).toBe(-32001);
  page.close();
  again.close();
  await home.stop();
  expect(home.read("daemon.log")).not.toContain(ticket);
});

test("ticket without a port says what to do, and without a daemon, too", async () => {
  await using home = daemonHome();
  expect((await cli(home.state, "ticket")).stderr).toContain("DAEMON_NOT_RUNNING");
  await cli(home.state, "start");
  expect((await cli(home.state, "ticket")).stderr).toMatch(/no port.*local-daemon start --port 0/);
  // The console opens one.
  const { origin } = new URL(JSON.parse((await cli(home.state, "open", "--no-browser", "--json")).stdout).url);
  const { url } = JSON.parse((await cli(home.state, "ticket", "--json")).stdout);
  expect(url).toBe(origin.replace("http:", "ws:"));
});
