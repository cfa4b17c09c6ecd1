import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { restoreAll } from "../../src/backup/index.js";
import { storeContents } from "../backup/store-contents.js";
import { daemonHome } from "../rendezvous/daemon-home.js";
import { runCli, startCli } from "./run-cli.js";

/** Ids of the sessions that a daemon lists, or that a store holds. */
async function listed(stateDir: string): Promise<string[]> {
  const { stdout } = await runCli(stateDir, "sessions", "--json");
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).sessionId as string]));
}

test("everything is backed up while a turn runs, restored elsewhere, and nothing of it is lost there", async () => {
  await using home = daemonHome();
  await using other = daemonHome();
  await runCli(home.state, "start");
  for (const text of ["say one", "say two"]) expect((await runCli(home.state, "run", text)).code).toBe(0);
  const running = startCli(home.state, ["run", "--json", "count 1000000 every 5"]);
  await running.wrote("assistant_text_delta");
  const backup = join(dirname(home.state), "backup");
  const made = await runCli(home.state, "export", "--json", "--all", backup);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(made.stdout)).toMatchObject({ directory: backup, format: 1, sessions: 3 });
  running.child.kill("SIGINT");
  await running.result;

  const restored = await runCli(other.state, "restore", backup);
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining("Restored 3 sessions") });
  const before = storeContents(join(backup, "daemon.db"));
  expect(storeContents(join(other.state, "daemon.db"))).toEqual(before);
  await runCli(other.state, "start");
  expect(new Set(await listed(other.state))).toEqual(new Set(await listed(home.state)));
  // The turn that ran at the moment of the backup has ended, with the reason; ended ones are as they were.
  const reasons: unknown[] = [];
  for (const id of await listed(home.state)) {
    const { stdout } = await runCli(other.state, "export", id);
    const turns = stdout.split("\n").filter((line) => line.includes('"type":"turn"'));
    reasons.push(...turns.map((line) => JSON.parse(line).turn.reason));
  }
  expect(reasons.filter((reason) => reason === "completed")).toHaveLength(2);
  expect(reasons).toContain("daemon_restarted");
  expect(await runCli(other.state, "restore", backup)).toMatchObject({ code: 1 });
  await runCli(other.state, "stop");
  expect(await runCli(other.state, "restore", backup)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("There is a store already"),
  });
});

test("a session is exported with the daemon running or not, deleted, and comes back from its file", async () => {
  await using home = daemonHome();
  await runCli(home.state, "start");
  await runCli(home.state, "run", "say keep me");
  const [id = ""] = await listed(home.state);
  const live = await runCli(home.state, "export", id);
  expect(live.code).toBe(0);
  expect(live.stdout).toContain("keep me");
  const file = join(dirname(home.state), "session.jsonl");
  expect((await runCli(home.state, "delete", id)).code).toBe(1);
  expect(await runCli(home.state, "delete", "--yes", id)).toMatchObject({ code: 0, stdout: `Deleted ${id}.\n` });
  expect(await runCli(home.state, "delete", "--yes", id)).toMatchObject({ code: 1 });
  expect(await listed(home.state)).toEqual([]);
  expect(await runCli(home.state, "export", id)).toMatchObject({ code: 1, stdout: "" });
  expect(await runCli(home.state, "export", id, "--output", file)).toMatchObject({ code: 1, stdout: "" });
  expect(existsSync(file)).toBe(false);
  await runCli(home.state, "stop");
  await home.write("../session.jsonl", live.stdout);
  expect(await runCli(home.state, "restore", file)).toMatchObject({ code: 0, stdout: `Restored ${id}.\n` });
  expect((await runCli(home.state, "export", id)).stdout.split("\n").slice(1)).toEqual(
    live.stdout.split("\n").slice(1),
  );
  await runCli(home.state, "start");
  expect(await listed(home.state)).toEqual([id]);
});

test("what is wrong in a call is said, with code 2", async () => {
  await using home = daemonHome();
  expect(await runCli(home.state, "export")).toMatchObject({ code: 2, stderr: expect.stringContaining("--all") });
  expect(await runCli(home.state, "restore", "/nowhere/at/all")).toMatchObject({ code: 2 });
  expect(await restoreAll({ from: "/nowhere", stateDir: home.state }).catch(String)).toContain("no whole backup");
});
