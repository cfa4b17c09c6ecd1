import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
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

/** Whether a shell is installed here. */
function has(shell: string): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0;
}

/** A program of that name, whose answer to `complete` holds a colon, a command and two words. */
function fakeProgram(directory: string, answer: string): NodeJS.ProcessEnv {
  mkdirSync(directory, { recursive: true });
  const lines = [`${answer}\\ta meaning`, "a:b\\tanother", "two words\\t"].map((line) => `'${line}'`).join(" ");
  writeFileSync(join(directory, "local-daemon"), `#!/bin/sh\nprintf '%b\\n' ${lines}\n`, { mode: 0o755 });
  return { PATH: `${directory}:${process.env.PATH}`, HOME: directory, TERM: "dumb" };
}

describe.skipIf(!has("zsh"))(`zsh${has("zsh") ? "" : " (is not installed here)"}`, () => {
  test("takes the words as they are, with their meanings, and runs nothing that is in them", async () => {
    await using home = daemonHome();
    const { stdout: script } = await runCli(home.state, "completion", "zsh");
    const made = join(home.state, "..", "made");
    const answer = `$(touch ${made})`;
    const env = fakeProgram(join(home.state, "..", "bin"), answer);
    // What the completion system would get: `_describe` needs an editor.
    const seen = `_describe() { print -rl -- "\${(@P)2}"; }; compdef() { :; }`;
    const asked = 'words=(local-daemon show ""); CURRENT=3; _local_daemon';
    const words = execFileSync("zsh", ["-f", "-c", [seen, script, asked].join("\n")], { encoding: "utf8", env });
    expect(words).toBe(`${answer}:a meaning\na\\:b:another\ntwo words:\n`);
    expect(existsSync(made)).toBe(false);
  });
});

describe.skipIf(!has("fish"))(`fish${has("fish") ? "" : " (is not installed here)"}`, () => {
  test("takes the words as they are, with their meanings, and runs nothing that is in them", async () => {
    await using home = daemonHome();
    const { stdout: script } = await runCli(home.state, "completion", "fish");
    const made = join(home.state, "..", "made");
    const answer = `$(touch ${made})`;
    const env = fakeProgram(join(home.state, "..", "bin"), answer);
    const asked = `complete --do-complete "local-daemon show "`;
    const words = execFileSync("fish", ["--no-config", "-c", [script, asked].join("\n")], { encoding: "utf8", env });
    // In the order of the alphabet.
    expect(new Set(words.trim().split("\n"))).toEqual(new Set([`${answer}\ta meaning`, "a:b\tanother", "two words"]));
    expect(existsSync(made)).toBe(false);
  });
});
