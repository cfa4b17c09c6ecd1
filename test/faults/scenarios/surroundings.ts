import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon } from "@daemon-sdk/client";
import { RelayClient } from "@daemon-sdk/client/relay";
import { within } from "../../stress/check.js";
import { DAEMON_PROGRAM } from "../../support/daemon-process.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { isRunning } from "../support/daemon-home.js";
import { withoutProc } from "../support/figures.js";
import { startForeground } from "../support/foreground-daemon.js";
import { runParts } from "../support/parts.js";
import { ProbedDaemon } from "../support/probed-daemon.js";

const SOON_MS = 20_000;
const POLL_MS = 10;
const AUTONOMY = { autonomyLevel: "high" } as const;
const DAY_MS = 86_400_000;
/** A user who is in no user database. */
const NOBODY = 54_321;

/** Z9: what surrounds a daemon's process. */
export const surroundingsScenarios: readonly FaultScenario[] = [
  {
    id: "Z9",
    title: "umask, HOME, PID 1, an ignored hangup and a wrong clock at the start cost no file, no session and no mail",
    isQuick: true,
    limitMs: 180_000,
    cannotRun: withoutProc,
    async run(context) {
      const parts = { umask: () => umasks(context), hangup: hangups, clock: () => clocks(context) };
      const isRoot = process.getuid?.() === 0;
      const all = isRoot ? { ...parts, home: homes, "PID 1": () => firstProcess(context) } : parts;
      return await runParts(Object.fromEntries(context.some(Object.entries(all), 2)));
    },
  },
];

/** Modes of a new file and a new directory before the umask. */
const [FILE_MODE, DIRECTORY_MODE] = [0o666, 0o777];

/** What an agent makes has the modes that the user's shell would give it; what the daemon makes is the user's alone. */
async function umasks(context: FaultContext): Promise<string> {
  const masks = context.some(["022", "002", "027", "077"], 1);
  for (const umask of masks) {
    await using daemon = await startForeground({ umask });
    await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
    const options = { ...AUTONOMY, cwd: daemon.workspace };
    await connection.run("write written.txt: words ; then run touch made.txt; mkdir made", options);
    const modes = ["written.txt", "made.txt", "made"].map((name) => modeOf(join(daemon.workspace, name)));
    const bits = Number.parseInt(umask, 8);
    const wanted = [FILE_MODE & ~bits, FILE_MODE & ~bits, DIRECTORY_MODE & ~bits];
    assert.deepEqual(modes.map(octal), wanted.map(octal), `files of an agent under umask ${umask}`);
    const loose = readdirSync(daemon.stateDir).filter((name) => (modeOf(join(daemon.stateDir, name)) & 0o077) !== 0);
    assert.deepEqual(loose, [], `files of the daemon that others may read under umask ${umask}`);
  }
  return `agents keep ${masks.join(", ")}`;
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

function octal(mode: number): string {
  return mode.toString(8);
}

/** A daemon that was started with SIGHUP ignored, as by `nohup`, outlives its terminal. */
async function hangups(): Promise<string> {
  await using daemon = await startForeground({ ignoresHangup: true });
  process.kill(daemon.pid, "SIGHUP");
  await using connection = await connectDaemon({ url: daemon.url, token: daemon.token, reconnect: false });
  const { text } = await connection.run("count 20 every 20 ; then say after the hangup", { cwd: daemon.workspace });
  assert.match(text, /after the hangup/);
  process.kill(daemon.pid, "SIGHUP");
  await connection.listOpenedSessions();
  assert.ok(isRunning(daemon.pid));
  return "under nohup it ends nothing";
}

/** A clock that is a week ahead at one start, as a computer's is before it has asked for the time, drops no mail. */
async function clocks(context: FaultContext): Promise<string> {
  await using daemon = await ProbedDaemon.start();
  const open = async (agentName: string) => {
    const client = new RelayClient({ agentName, socketPath: daemon.socketPath });
    await client.connect();
    return client;
  };
  await (await open("Reader")).close();
  const writer = await open("Writer");
  assert.equal((await writer.send("Reader", "kept")).state, "queued");
  await writer.close();
  for (const shiftMs of [8 * DAY_MS, 0, -8 * DAY_MS]) {
    await daemon.end("SIGTERM", "SIGINT");
    await daemon.start({ shiftMs });
    // Whatever a start does with old messages it has done when others were taken.
    const other = await open("Writer");
    await other.send("Reader", `at ${shiftMs}`);
    await other.close();
  }
  const reader = await open("Reader");
  const { value } = await within(SOON_MS * context.slowness, reader.messages().next());
  await reader.close();
  assert.equal(value?.body, "kept", "the oldest message is the first");
  return "8 days off at a start drops no mail";
}

/** A user without an entry in the user database, with and without a place to live. */
async function homes(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "homeless-"));
  // The scenario's own directories are the user's alone otherwise.
  for (const path of [tmpdir(), directory]) chmodSync(path, 0o755);
  const room = join(directory, "room");
  mkdirSync(room, { mode: 0o2775 });
  chmodSync(room, 0o2775);
  const cases = [
    { name: "no HOME", env: {}, says: /DAEMON_SDK_HOME/ },
    { name: "HOME=/", env: { HOME: "/" }, says: /DAEMON_SDK_HOME/ },
    { name: "HOME=/nonexistent", env: { HOME: "/nonexistent" }, says: /DAEMON_SDK_HOME/ },
    { name: "DAEMON_SDK_HOME", env: { DAEMON_SDK_HOME: join(room, "daemon") }, says: undefined },
  ];
  for (const { name, env, says } of cases) {
    const started = command(["start"], env);
    if (says === undefined) {
      assert.equal(started.status, 0, `${name}: ${started.stderr}`);
      const ran = command(["run", "say at home", "--cwd", room], env);
      const stopped = command(["stop", "--now"], env);
      assert.match(ran.stdout, /at home/, `${name}: ${ran.stderr}`);
      assert.equal(stopped.status, 0, `${name}: ${stopped.stderr}`);
    } else {
      assert.notEqual(started.status, 0, name);
      assert.match(started.stderr, says, name);
      assert.doesNotMatch(started.stderr, /at .*\(|SystemError|node:internal/, `${name}: an error for people`);
    }
  }
  rmSync(directory, { recursive: true, force: true });
  return "a uid without a home is told what to set, and works with it";
}

/** The command line, as that user with that environment and no more. */
function command(args: readonly string[], env: Readonly<Record<string, string>>) {
  const asNobody = ["--reuid", String(NOBODY), "--regid", "0", "--clear-groups"];
  return spawnSync("setpriv", [...asNobody, process.execPath, DAEMON_PROGRAM, ...args], {
    encoding: "utf8",
    cwd: "/",
    env: { PATH: process.env.PATH ?? "", ...env },
    timeout: SOON_MS * 3,
  });
}

/**
 * The only process of a container: it cannot reap what its agents' children leave, or says so; a kill leaves an endpoint that
 * names pid 1, which the next one in its place is, too.
 */
async function firstProcess(context: FaultContext): Promise<string> {
  if (spawnSync("unshare", ["-p", "-f", "--mount-proc", "true"]).status !== 0) return "not possible here";
  const directory = mkdtempSync(join(tmpdir(), "first-"));
  const sessions: string[] = [];
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    const container = new Container(directory);
    await until(() => container.isUp, context);
    await container.orphans(sessions);
    await container.end(signal);
    assert.match(container.said, /--init/, "as PID 1 it says what it cannot do");
  }
  rmSync(directory, { recursive: true, force: true });
  return "it asks for an init process, and the next one takes over";
}

/** A daemon that is the first process of its namespace. */
class Container {
  said = "";
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #before: number;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(join(directory, "work"), { recursive: true });
    this.#before = this.#startedAt;
    const program = [process.execPath, DAEMON_PROGRAM, "start", "--foreground", "--port", "0"];
    this.#child = spawn("unshare", ["-p", "-f", "--mount-proc", "--kill-child", ...program], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, DAEMON_SDK_HOME: this.#state },
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.said += text;
    });
  }

  get isUp(): boolean {
    assert.equal(this.#child.exitCode, null, this.said);
    return this.#startedAt !== this.#before && existsSync(join(this.#state, "token"));
  }

  /** A turn whose command leaves processes; the sessions of earlier containers are still there. */
  async orphans(sessions: string[]): Promise<void> {
    const { port } = JSON.parse(readFileSync(this.#endpoint, "utf8")) as { port: number };
    const token = readFileSync(join(this.#state, "token"), "utf8").trim();
    await using connection = await connectDaemon({ url: `ws://127.0.0.1:${port}`, token });
    for (const sessionId of sessions) {
      const { messages } = await connection.getSessionMessages(sessionId);
      assert.ok(messages.length > 0, "what the last container said is still there");
    }
    const cwd = join(this.#directory, "work");
    const { subtype, sessionId } = await connection.run("run (sleep 0.01 &) ; true ; then say left", {
      ...AUTONOMY,
      cwd,
    });
    assert.equal(subtype, "success");
    sessions.push(sessionId);
  }

  /** Ends the daemon, and waits for what `unshare` does after it. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const exited = once(this.#child, "exit");
    const [pid] = readFileSync(`/proc/${this.#child.pid}/task/${this.#child.pid}/children`, "utf8").split(" ");
    process.kill(Number(pid), signal);
    await exited;
  }

  get #state(): string {
    return join(this.#directory, "state");
  }

  get #endpoint(): string {
    return join(this.#state, "endpoint.json");
  }

  get #startedAt(): number {
    return existsSync(this.#endpoint) ? statSync(this.#endpoint).mtimeMs : 0;
  }
}

async function until(isSo: () => boolean, context: FaultContext): Promise<void> {
  const deadline = performance.now() + SOON_MS * context.slowness;
  while (!isSo()) {
    assert.ok(performance.now() < deadline, "not so in time");
    await delay(POLL_MS);
  }
}
