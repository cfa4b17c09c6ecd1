import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTimeOf } from "../../src/agents/process-identity.js";
import { type DaemonHome, daemonHome } from "../rendezvous/daemon-home.js";
import { runCli, startCli } from "./run-cli.js";

describe("the daemon's life on the command line", () => {
  test("start, start again, status, stop, status", async () => {
    await using home = daemonHome();
    const started = await runCli(home.state, "start", "--port", "0");
    expect(started).toMatchObject({ code: 0, stderr: "" });
    expect(started.stdout).toMatch(/^Started \(pid \d+\), listening on .*daemon\.sock and 127\.0\.0\.1:\d+\.\n$/);
    expect((await runCli(home.state, "start")).stdout).toMatch(/^Already running \(pid \d+\)\.\n$/);

    const status = await runCli(home.state, "status", "--json");
    expect(status.code).toBe(0);
    const facts = JSON.parse(status.stdout);
    expect(facts).toMatchObject({ running: true, stateDir: home.state, openSessions: 0 });
    const health = await fetch(`http://127.0.0.1:${facts.port}/health`);
    expect(health.status).toBe(200);
    expect(JSON.stringify(await health.json())).not.toContain(home.read("token"));

    const other = await runCli(home.state, "start", "--port", String(facts.port === 1 ? 2 : facts.port - 1));
    expect(other).toMatchObject({ code: 1, stdout: "" });
    expect(other.stderr).toMatch(/^local-daemon: DAEMON_ALREADY_RUNNING: .*local-daemon stop/);

    expect(facts.damagedStores).toEqual([]);
    await home.write("daemon.db.damaged-then", "");
    expect((await runCli(home.state, "status")).stdout).toContain(join(home.state, "daemon.db.damaged-then"));

    expect((await runCli(home.state, "stop")).stdout).toBe(`Stopped (pid ${facts.pid}).\n`);
    expect(await startTimeOf(facts.pid)).toBeUndefined();
    expect(await runCli(home.state, "status")).toMatchObject({ code: 3 });
    expect(await runCli(home.state, "stop")).toMatchObject({ code: 0, stdout: "No daemon is running.\n" });
    expect(existsSync(join(home.state, "daemon.sock"))).toBe(false);
  });

  test("stop --wait ends at the deadline the turn that runs, tells it why, and lets a shorter one end by itself", async () => {
    await using home = daemonHome();
    await runCli(home.state, "start");
    const long = startCli(home.state, ["run", "--json", "count 100000 every 50"]);
    const short = startCli(home.state, ["run", "--json", "count 10 every 50"]);
    await Promise.all([long, short].map((run) => run.wrote("assistant_text_delta")));
    const since = performance.now();
    const stopped = await runCli(home.state, "stop", "--wait", "2");
    expect(stopped).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Stopped \(pid \d+\)\.\n$/) });
    expect(performance.now() - since).toBeGreaterThan(2_000);
    expect(await runCli(home.state, "status")).toMatchObject({ code: 3 });
    expect((await short.result).code).toBe(0);
    const { code, stdout } = await long.result;
    expect(code).toBe(1);
    const result = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    expect(result).toMatchObject({ type: "result", subtype: "interrupted", reason: "cancelled" });
    expect(result.error.message).toBe(
      "The daemon was stopped, and this turn had not ended within the 2 s that were given.",
    );
  });

  test("in the foreground it serves until it is told to end, and ends with 0", async () => {
    await using home = daemonHome();
    const daemon = startCli(home.state, ["start", "--foreground"]);
    await daemon.wrote("Listening on");
    expect(await runCli(home.state, "start", "--foreground")).toMatchObject({ code: 3 });
    expect(JSON.parse((await runCli(home.state, "status", "--json")).stdout).pid).toBe(daemon.child.pid);
    daemon.child.kill("SIGTERM");
    expect((await daemon.result).code).toBe(0);
  });
});

describe("with a daemon running", () => {
  let home: DaemonHome;
  let workspace: string;

  beforeAll(async () => {
    home = daemonHome();
    await runCli(home.state, "start");
    workspace = join(home.state, "..", "work");
    mkdirSync(workspace);
  });

  afterAll(() => home[Symbol.asyncDispose]());

  const run = (prompt: string, ...options: string[]) =>
    runCli(home.state, "run", prompt, "--cwd", workspace, ...options);

  test("run streams the answer to stdout and ends with 0", async () => {
    const { code, stdout } = await run("say hello there");
    expect(code).toBe(0);
    expect(stdout).toContain("hello there\n");
  });

  test("run - reads the prompt to its end, however slowly it comes", async () => {
    const text = "x".repeat(2 ** 20);
    const running = startCli(home.state, ["run", "-", "--cwd", workspace], {}, "pipe");
    running.child.stdin?.end(`say ${text}`);
    const { code, stdout, stderr } = await running.result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.length).toBeGreaterThan(text.length);
  });

  test("follow --until-idle ends with the turn that runs when it begins", async () => {
    const running = startCli(home.state, ["run", "--json", "count 1000 every 5", "--cwd", workspace]);
    await running.wrote("assistant_text_delta");
    const following = startCli(home.state, ["follow", "last", "--until-idle"]);
    await following.wrote(" ");
    running.child.kill("SIGINT");
    expect((await running.result).code).toBe(130);
    expect((await following.result).code).toBe(0);
  });

  test("run without a terminal refuses what asks for permission, and says so", async () => {
    const { code, stderr } = await run("write refused.txt: no");
    expect(code).toBe(4);
    expect(stderr).toMatch(
      /refused, because there is no terminal to ask at \(--yes approves\): Create: .*refused\.txt/,
    );
    expect(existsSync(join(workspace, "refused.txt"))).toBe(false);
  });

  test("run --yes approves, and the work is done", async () => {
    const { code, stderr } = await run("write made.txt: yes", "--yes");
    expect(code).toBe(0);
    expect(stderr).toContain("approved by --yes");
    expect(readFileSync(join(workspace, "made.txt"), "utf8")).toContain("yes");
  });

  test("run cancels a question when nobody can be asked", async () => {
    expect((await run("ask Which colour? red | blue")).stderr).toContain("was cancelled");
  });

  test("run --json prints notifications, one a line, and the result last", async () => {
    const { code, stdout } = await run("say as json", "--json");
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(lines.at(-1)).toMatchObject({ type: "result", reason: "completed" });
    expect(lines.map(({ type }) => type)).toContain("assistant_text_delta");
  });

  test("the first Ctrl-C interrupts the turn, which then did not complete", async () => {
    const counting = startCli(home.state, ["run", "count 10000 every 20", "--cwd", workspace]);
    await counting.wrote("1");
    counting.child.kill("SIGINT");
    const { code, stderr } = await counting.result;
    expect(code).toBe(130);
    expect(stderr).toContain("Interrupting the turn");
    expect(stderr).toMatch(/The turn ended: (cancelled|interrupted)/);
  });

  test("a reader that leaves early ends the run without a word, and its turn with it", async () => {
    const counting = startCli(home.state, ["run", "count 10000 every 5", "--cwd", workspace]);
    await counting.wrote("1");
    counting.child.stdout?.destroy();
    const { code, stderr } = await counting.result;
    expect({ code, stderr }).toEqual({ code: 141, stderr: "" });
  });

  test("run refuses an agent that is not configured, naming those that are", async () => {
    const { code, stderr } = await run("say x", "--agent", "nobody");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^local-daemon: INVALID_PARAMS: .*No agent is named "nobody"\. Known ones: .+\n$/);
  });

  test("sessions lists what was run, and logs shows what happened", async () => {
    const began = Date.now();
    await run("say for the list");
    const listed = await runCli(home.state, "sessions", "--json");
    const rows = listed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows.length).toBeGreaterThanOrEqual(1);
    expect(rows[0]).toMatchObject({ cwd: workspace });
    // In milliseconds, as `fleet sessions` states it.
    expect(rows[0].updatedAt).toBeGreaterThanOrEqual(began);
    expect(rows[0].updatedAt).toBeLessThanOrEqual(Date.now());
    const archived = await runCli(home.state, "archive", rows[0].sessionId, "--json");
    expect(JSON.parse(archived.stdout).archivedAt).toBeGreaterThanOrEqual(began);
    const [again] = (await runCli(home.state, "sessions", "--all", "--json")).stdout.split("\n");
    expect(JSON.parse(again ?? "").archivedAt).toBe(JSON.parse(archived.stdout).archivedAt);
    await runCli(home.state, "archive", "--undo", rows[0].sessionId);
    expect((await runCli(home.state, "sessions")).stdout).toContain(rows[0].sessionId);
    expect((await runCli(home.state, "logs", "-n", "1000")).stdout).toContain("daemon started");
  });

  test("logs -f goes on with what is written, until Ctrl-C", async () => {
    const following = startCli(home.state, ["logs", "-f", "-n", "1"]);
    await following.wrote("\n");
    await home.write("daemon.log", `${home.read("daemon.log")}a line of tomorrow\n`);
    await following.wrote("a line of tomorrow");
    following.child.kill("SIGINT");
    expect((await following.result).code).toBe(130);
  });
});

describe("usage", () => {
  test.each([
    [["frobnicate"], 2, /unknown command/],
    [["start", "--port", "70000"], 2, /0 to 65535/],
    [["run"], 2, /missing required argument/],
    [["logs", "-n", "few"], 2, /number is expected/],
  ])("%j is refused with %i and a hint", async (args, code, hint) => {
    await using home = daemonHome();
    const result = await runCli(home.state, ...args);
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(hint);
  });

  test("without a daemon, sessions says how to start one", async () => {
    await using home = daemonHome();
    const { code, stderr } = await runCli(home.state, "sessions");
    expect(code).toBe(3);
    expect(stderr).toMatch(/^local-daemon: DAEMON_NOT_RUNNING: .*"local-daemon start"/);
  });

  test("with --json a failure is the last line of stdout, with its code; wrong usage, too", async () => {
    await using home = daemonHome();
    const failed = await runCli(home.state, "sessions", "--json");
    expect(failed).toMatchObject({ code: 3, stderr: "" });
    expect(JSON.parse(failed.stdout).error).toMatchObject({ code: "DAEMON_NOT_RUNNING", retryable: true });
    const wrong = await runCli(home.state, "status", "--json", "--port", "1");
    expect(wrong).toMatchObject({ code: 2, stderr: "" });
    expect(JSON.parse(wrong.stdout).error).toMatchObject({ code: "INVALID_OPTION", retryable: false });
  });

  test("without a command, the help is printed", async () => {
    await using home = daemonHome();
    expect(await runCli(home.state)).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("Usage:") });
  });

  test("--version and --help answer on stdout and end with 0", async () => {
    await using home = daemonHome();
    const version = await runCli(home.state, "--version");
    expect(version).toMatchObject({ code: 0, stderr: "" });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+/);
    const help = await runCli(home.state, "--help");
    for (const word of ["start", "stop", "status", "run", "sessions", "logs", "DAEMON_SDK_HOME", "Exit codes"]) {
      expect(help.stdout).toContain(word);
    }
  });
});
