import { existsSync } from "node:fs";
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
