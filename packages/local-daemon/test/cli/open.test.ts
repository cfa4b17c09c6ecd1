import { execFile } from "node:child_process";
import { chmodSync, readFileSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import { openConsole } from "../../src/cli/daemon/open-command.js";
import type { Terminal } from "../../src/cli/terminal.js";
import { type DaemonHome, daemonHome } from "../rendezvous/daemon-home.js";
import { failpointBuild } from "../support/failpoint-build.js";

afterEach(() => vi.unstubAllEnvs());

/** The command line from its sources: what it prints, or its failure. */
async function cli(state: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DAEMON_SDK_HOME: state };
  return promisify(execFile)(process.execPath, [failpointBuild().bin, ...args], { env }).catch((error) => error);
}

/** A terminal at which a person sits. */
function person(): Terminal & { readonly written: string[] } {
  const written: string[] = [];
  return {
    written,
    isInteractive: true,
    columns: undefined,
    answer: (text) => void written.push(text),
    note: (line) => void written.push(line),
    json: (value) => void written.push(JSON.stringify(value)),
    progress: () => ({ [Symbol.dispose]() {} }),
  };
}

/** Puts a program on PATH that records its arguments, in place of a browser. */
async function withBrowser(home: DaemonHome): Promise<{ arguments(): Promise<string[]> }> {
  await home.write(
    "xdg-open",
    `#!/bin/sh\necho "$@" > '${home.state}/opened.tmp' && mv '${home.state}/opened.tmp' '${home.state}/opened'\n`,
  );
  chmodSync(join(home.state, "xdg-open"), 0o700);
  vi.stubEnv("PATH", `${home.state}:${process.env.PATH}`);
  vi.stubEnv("DISPLAY", ":0");
  const opened = new Promise<void>((resolve) => {
    const watcher = watch(home.state, (_, name) => {
      if (name !== "opened") return;
      watcher.close();
      resolve();
    });
  });
  return {
    async arguments() {
      await opened;
      return readFileSync(join(home.state, "opened"), "utf8").trim().split(" ");
    },
  };
}

test("open starts the daemon and a port, prints a link, and leaves the ticket in no log and no file (S5)", async () => {
  await using home = daemonHome();
  const { url } = JSON.parse((await cli(home.state, "open", "--json")).stdout);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/console\/#ticket=[\w-]{43}$/);
  const { hash, origin } = new URL(url);
  const [, ticket = ""] = hash.split("=");
  const page = await fetch(url);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("<title>Console</title>")]);
  const answer = await fetch(`${origin}/console/tab`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ticket }),
  });
  const { credential } = (await answer.json()) as { credential: string };
  expect(credential).toMatch(/^[\w-]{43}$/);
  await home.stop();
  for (const secret of [ticket, credential]) expect(home.read("daemon.log")).not.toContain(secret);
});

test.skipIf(process.platform === "darwin")(
  "open starts a browser with a file of the user's own, not with the link, which every user could read",
  async () => {
    await using home = daemonHome();
    await cli(home.state, "start");
    const browser = await withBrowser(home);
    const terminal = person();
    await openConsole({ stateDir: home.state, browser: true, json: false, terminal });
    const link = terminal.written[0]?.trim() ?? "";
    const file = join(home.state, "console.html");
    expect(await browser.arguments()).toEqual([file]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toContain(`content="0;url=${link}"`);
  },
);

test("open --no-browser only prints the link", async () => {
  await using home = daemonHome();
  await cli(home.state, "start");
  await withBrowser(home);
  const terminal = person();
  await openConsole({ stateDir: home.state, browser: false, json: false, terminal });
  expect(terminal.written).toEqual([
    expect.stringContaining("/console/#ticket="),
    "The link works once, for a minute.",
  ]);
  expect(() => statSync(join(home.state, "console.html"))).toThrow("ENOENT");
});
