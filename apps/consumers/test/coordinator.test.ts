import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type DaemonProcess, startDaemonProcess } from "../../../test/support/daemon-process.js";
import { startProgram } from "./bot-process.js";

let daemon: DaemonProcess;
let repository: string;
let repositories = 0;

beforeAll(async () => {
  daemon = await startDaemonProcess();
});

afterAll(() => daemon.stop());

beforeEach(() => {
  repository = join(daemon.workspace, `repository-${repositories++}`);
  mkdirSync(repository);
  git("init", "--quiet", "--initial-branch=main");
  git("config", "user.name", "A test");
  git("config", "user.email", "test@example.com");
  writeFileSync(join(repository, "plan.txt"), "nothing yet\n");
  git("add", "--all");
  git("commit", "--quiet", "-m", "Begin");
});

test("agents work at once, each in a worktree of its own, and what they made is merged", async () => {
  const { reports, exitCode } = await coordinate([
    { name: "one", prompt: "write one.txt: first" },
    { name: "two", prompt: "write two.txt: second" },
    { name: "none", prompt: "say Nothing to do." },
  ]);
  expect(reports.map(({ name, outcome }) => [name, outcome])).toEqual([
    ["one", "merged"],
    ["two", "merged"],
    ["none", "nothing to merge"],
  ]);
  expect(exitCode).toBe(0);
  expect(readFileSync(join(repository, "one.txt"), "utf8")).toBe("first");
  expect(readFileSync(join(repository, "two.txt"), "utf8")).toBe("second");
  expect(git("branch", "--format=%(refname:short)")).toBe("main");
  expect(git("worktree", "list").split("\n")).toHaveLength(1);
});

test("a conflict is reported with its files, changes nothing, and stays on its branch", async () => {
  const { reports, exitCode } = await coordinate([
    { name: "left", prompt: "write plan.txt: to the left" },
    { name: "right", prompt: "write plan.txt: to the right" },
  ]);
  expect(reports).toMatchObject([
    { name: "left", outcome: "merged" },
    { name: "right", outcome: "conflict", branch: "agent/right", files: ["plan.txt"] },
  ]);
  expect(exitCode).toBe(1);
  expect(git("status", "--porcelain")).toBe("");
  expect(git("show", "agent/right:plan.txt")).toBe("to the right");
  expect(readFileSync(join(repository, "plan.txt"), "utf8")).toBe("to the left");
});

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: repository, encoding: "utf8" }).trim();
}

async function coordinate(tasks: object[]): Promise<{ reports: Record<string, unknown>[]; exitCode: number | null }> {
  const path = join(daemon.stateDir, "tasks.json");
  writeFileSync(path, JSON.stringify(tasks));
  const child = startProgram("coordinator", [repository, path]);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { reports: JSON.parse(output) as Record<string, unknown>[], exitCode };
}
