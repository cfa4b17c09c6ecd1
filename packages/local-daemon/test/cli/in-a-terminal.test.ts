import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DaemonHome, daemonHome } from "../rendezvous/daemon-home.js";
import { runCli } from "./run-cli.js";
import { loadPty, NO_PTY, readable, TerminalRun, type TerminalRunOptions } from "./transcript/pty.js";

const PROGRAM = fileURLToPath(new URL("../../dist/bin.cjs", import.meta.url));
const ESCAPE = String.fromCharCode(27);

/** Stays until its output was read: what is not read within a moment after a program's end is lost. */
const LIST = ["/bin/bash", "-c", "local-daemon sessions; echo END; read -r"] as const;

const pty = await loadPty();

describe.skipIf(pty === undefined)(`in a terminal${pty === undefined ? ` (${NO_PTY})` : ""}`, () => {
  let home: DaemonHome;
  let work: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    home = daemonHome();
    work = join(home.state, "..", "work");
    const bin = join(home.state, "..", "bin");
    mkdirSync(work);
    mkdirSync(bin);
    writeFileSync(join(bin, "local-daemon"), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
    chmodSync(join(bin, "local-daemon"), 0o755);
    const HOME = join(home.state, "..");
    env = { PATH: `${bin}:/usr/bin:/bin`, HOME, DAEMON_SDK_HOME: home.state, TERM: "xterm", PS1: "> " };
    await runCli(home.state, "start");
  });

  afterAll(() => home[Symbol.asyncDispose]());

  function open(command: TerminalRunOptions["command"], options: Partial<TerminalRunOptions> = {}): TerminalRun {
    if (pty === undefined) throw new Error(NO_PTY);
    return new TerminalRun(pty, { command, env, cwd: work, ...options });
  }

  test("Ctrl-C at a question interrupts the turn, and nothing is done", async () => {
    const run = open(["local-daemon", "run", "write asked.txt: no"]);
    await run.wrote("Choose 1–3: ");
    run.type("^C");
    await run.wrote("The turn ended: cancelled.");
    expect(await run.exited).toEqual({ code: 130, signal: 0 });
    expect(() => readFileSync(join(work, "asked.txt"))).toThrow();
  });

  test("Ctrl-Z stops it at a question, fg brings the question back, and a narrower window changes nothing", async () => {
    const shell = open(["/bin/bash", "--norc", "-i"]);
    shell.type('local-daemon run "write again.txt: yes"\r');
    await shell.wrote("Choose 1–3: ");
    shell.type("^Z");
    await shell.wrote("Stopped");
    shell.resize(40, 20);
    shell.type("fg\r");
    await shell.wrote("Choose 1–3: ");
    shell.type("1\r");
    await shell.wrote("Wrote again.txt");
    shell.type('echo "code $?"\r');
    await shell.wrote("code 0");
    shell.type("exit\r");
    await shell.exited;
    expect(readFileSync(join(work, "again.txt"), "utf8")).toContain("yes");
  });

  test("Ctrl-Z stops it while an answer is written, and Ctrl-C after fg ends it with 130", async () => {
    const shell = open(["/bin/bash", "--norc", "-i"]);
    shell.type('local-daemon run "count 1000 every 50"\r');
    // The shell is done with the line that was typed.
    await shell.wrote(`${ESCAPE}[?2004l`);
    await shell.wrote("1 ");
    shell.type("^Z");
    await shell.wrote("Stopped");
    shell.type("fg\r");
    await shell.wrote("fg");
    await shell.wrote('every 50"\r\n');
    // Not before it goes on: until then Ctrl-C would be the shell's.
    await shell.wrote(" ");
    shell.type("^C");
    await shell.wrote("The turn ended: cancelled.");
    shell.type('echo "code $?"\r');
    await shell.wrote("code 130");
    shell.type("exit\r");
    await shell.exited;
    expect(readable(shell.output).match(/The turn ended/g)).toHaveLength(1);
  });

  test.each([
    ["a terminal with colours", {}, true],
    ["NO_COLOR", { NO_COLOR: "1" }, false],
    ["TERM=dumb", { TERM: "dumb" }, false],
  ])("%s", async (_, more, hasColors) => {
    const status = open(LIST, { env: { ...env, ...more } });
    await status.wrote("END");
    status.type("^M");
    await status.exited;
    expect(status.output).toContain("DIRECTORY");
    expect(status.output.includes(`${ESCAPE}[`)).toBe(hasColors);
  });

  test("a list is not wider than the window", async () => {
    const list = open(LIST, { columns: 60 });
    await list.wrote("END");
    list.type("^M");
    await list.exited;
    const lines = readable(list.output).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(lines[0]).toMatch(/^SESSION/);
  });

  test("whoever reads the first line only hears nothing more, and the turn is interrupted", async () => {
    const shell = open([
      "/bin/bash",
      "-c",
      'local-daemon run "stream 20000 of 100" | head -c 4; echo " $PIPESTATUS"; read -r',
    ]);
    await shell.wrote("141\r\n");
    expect(readable(shell.output)).toMatch(/^.{4} 141\n$/);
    shell.type("^M");
    await shell.exited;
  });
});
