import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { isAlive } from "../../../test/support/daemon-process.js";
import { type ExampleRun, processesOf, removeRun, runExample } from "./run-example.js";

test("the demo's last line is a JSON summary of the main job, its files are on disk, its processes are gone", async () => {
  const run = await runExample("demo", "--json");
  try {
    expect(run.exitCode, run.output).toBe(0);
    const summary = summaryOf(run);
    expect(summary).toMatchObject({ sessions: 2, sockets: 1, interrupted: 1, resumed: 1 });
    expect(summary.toolCalls).toBeGreaterThanOrEqual(2);
    expect(summary.permissionsAsked).toBeGreaterThanOrEqual(1);
    expect(summary.agentPids).toHaveLength(2);
    expect(summary.files.length).toBeGreaterThan(0);
    for (const file of summary.files) expect(existsSync(file), file).toBe(true);
    for (const pid of [summary.daemonPid, ...summary.agentPids]) expect(isAlive(pid), String(pid)).toBe(false);
    expect(run.leftProcesses).toEqual([]);
  } finally {
    removeRun(run);
  }
});

test("with --keep the daemon goes on", async () => {
  const run = await runExample("demo", "--json", "--keep");
  try {
    const { daemonPid } = summaryOf(run);
    expect(isAlive(daemonPid)).toBe(true);
    process.kill(daemonPid, "SIGTERM");
    await expect.poll(() => isAlive(daemonPid)).toBe(false);
    expect(processesOf(run.directory)).toEqual([]);
  } finally {
    removeRun(run);
  }
});

test("with --open the console is served until Ctrl-C, and nothing is left then", async () => {
  const directory = mkdtempSync(join(tmpdir(), "ex-"));
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", "dist", "demo.js"), "--open"], {
    env: { ...process.env, TMPDIR: directory, DAEMON_SDK_HOME: "", XDG_RUNTIME_DIR: "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    let link = "";
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith("http://127.0.0.1:")) link = line;
      if (line.startsWith("The console works")) break;
    }
    const page = await fetch(link);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("<title>Console</title>")]);
    const exited = once(child, "exit");
    child.kill("SIGINT");
    expect(await exited).toEqual([0, null]);
    expect(processesOf(directory)).toEqual([]);
  } finally {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
});

interface Summary {
  daemonPid: number;
  agentPids: number[];
  toolCalls: number;
  permissionsAsked: number;
  files: string[];
}

function summaryOf(run: ExampleRun): Summary {
  return JSON.parse(run.lines.at(-1) ?? "") as Summary;
}
