import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daemonHome } from "../rendezvous/daemon-home.js";
import { runCli } from "./run-cli.js";

test("bash takes the words as they are, and runs nothing that is in them", async () => {
  await using home = daemonHome();
  const { stdout: script } = await runCli(home.state, "completion", "bash");
  const made = join(home.state, "made");
  const answer = `$(touch ${made})`;
  const program = `local-daemon() { printf '%s\\t%s\\n' '${answer}' 'a meaning' 'two words' ''; }`;
  const asked = `COMP_WORDS=(local-daemon show ""); COMP_CWORD=2; _local_daemon; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const words = execFileSync("bash", ["-c", [program, script, asked].join("\n")], { encoding: "utf8" });
  expect(words).toBe(`${answer}\ntwo words\n`);
  expect(existsSync(made)).toBe(false);
});

test("sessions are offered where one is expected, after options with values and after another session", async () => {
  await using home = daemonHome();
  await runCli(home.state, "start");
  await runCli(home.state, "run", "say one");
  const [id] = (await runCli(home.state, "sessions")).stdout.split(" ");
  const wordsAfter = async (...words: string[]) => {
    const { stdout } = await runCli(home.state, "complete", "--", ...words);
    return stdout.split("\n").map((line) => line.split("\t")[0]);
  };
  expect(await wordsAfter("show", "")).toContain(id);
  expect(await wordsAfter("fork", "--title", "another", "")).toContain(id);
  expect(await wordsAfter("delete", "last", "")).toContain(id);
  expect(await wordsAfter("show", "last", "")).not.toContain(id);
});
