/** A machine of its own for the agents: a home, a PATH, a project, and the real daemon as a process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectDaemon } from "@daemon-sdk/client";
import { installed, NODE } from "./agents.mjs";

const DAEMON = fileURLToPath(new URL("../../../packages/local-daemon/dist/bin.cjs", import.meta.url));
const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin";

/** A throw-away machine with these agents on PATH. */
export class Workplace {
  root = mkdtempSync(join(tmpdir(), "interop-agents-"));
  home = this.#directory("home");
  bin = this.#directory("bin");
  project = this.#directory("project");
  stateDir = this.#directory("state");
  /** The program that starts the daemon and speaks with it. */
  program = DAEMON;
  #daemon;

  /** Without the URL of a model the agents have none: nobody is logged in. */
  constructor(agents, modelUrl) {
    symlinkSync(NODE, join(this.bin, "node"));
    for (const agent of agents) {
      for (const [name, path] of Object.entries(agent.programs)) {
        chmodSync(installed(path), 0o755);
        symlinkSync(installed(path), join(this.bin, name));
      }
      if (modelUrl !== undefined) agent.settle(this.home, modelUrl);
    }
    // Agents get the PATH of the login shell, in which this machine's Node would be the first one.
    writeFileSync(join(this.home, ".profile"), `export PATH="${this.env.PATH}"\n`);
    writeFileSync(join(this.project, "README.md"), "The answer is 42.\n");
  }

  /** Writes the daemon's configuration. */
  configure(config) {
    writeFileSync(join(this.stateDir, "config.json"), JSON.stringify(config), { mode: 0o600 });
  }

  get env() {
    const { home, bin, stateDir } = this;
    return {
      HOME: home,
      PATH: `${bin}:${SYSTEM_PATH}`,
      DAEMON_SDK_HOME: stateDir,
      LANG: "C.UTF-8",
      TERM: "dumb",
      USER: "someone",
    };
  }

  /** Starts `local-daemon` with these arguments. */
  spawn(args, stdio = ["pipe", "pipe", "pipe"]) {
    return spawn(process.execPath, [DAEMON, ...args], { cwd: this.project, env: this.env, stdio });
  }

  /** Runs `local-daemon` to its end. */
  async run(...args) {
    const child = this.spawn(args, ["ignore", "pipe", "pipe"]);
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => (output.stdout += chunk));
    child.stderr.on("data", (chunk) => (output.stderr += chunk));
    const [code] = await once(child, "close");
    return { code, ...output };
  }

  async startDaemon() {
    this.#daemon = this.spawn(["start", "--foreground"], ["ignore", "ignore", "pipe"]);
    let said = "";
    await new Promise((resolve, reject) => {
      this.#daemon.stderr.on("data", (chunk) => {
        said += chunk;
        if (said.includes("Listening on")) resolve();
      });
      this.#daemon.once("exit", () => reject(new Error(`The daemon ended: ${said}`)));
    });
    return this.#daemon.pid;
  }

  async stopDaemon(signal = "SIGTERM") {
    if (this.#daemon === undefined) return;
    const gone = once(this.#daemon, "exit");
    this.#daemon.kill(signal);
    await gone;
    this.#daemon = undefined;
  }

  /** Connects to the daemon of this machine. */
  async connect() {
    // The client finds the daemon by its environment, as every program of this machine does.
    process.env.DAEMON_SDK_HOME = this.stateDir;
    return connectDaemon();
  }

  /** Pids of the processes that the daemon started itself for this session. */
  agentPids(sessionId) {
    return readdirSync("/proc")
      .filter((pid) => /^\d+$/u.test(pid) && this.#isAgent(pid, sessionId))
      .map(Number);
  }

  remove() {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }

  #isAgent(pid, sessionId) {
    try {
      const [, parent] = /^PPid:\s+(\d+)$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
      if (Number(parent) !== this.#daemon.pid) return false;
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`DAEMON_SDK_SESSION=${sessionId}`);
    } catch {
      return false;
    }
  }

  #directory(name) {
    const path = join(this.root, name);
    mkdirSync(path, { mode: 0o700 });
    return path;
  }
}
