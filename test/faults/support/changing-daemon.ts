import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failpointBuild } from "../../../packages/local-daemon/test/support/failpoint-build.js";
import { type DaemonHome, daemonHome } from "./daemon-home.js";

/** Two versions of the daemon, which take turns. */
const VERSIONS = ["9.0.1", "9.0.2"] as const;

/** How a run of the command line ended. */
interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** A daemon that is replaced by another version again and again, by the command line, in a state directory of its own. */
export class ChangingDaemon implements AsyncDisposable {
  readonly workspace: string;
  readonly #home: DaemonHome;
  #changes = 0;

  static async start(config: object = {}): Promise<ChangingDaemon> {
    const daemon = new ChangingDaemon(daemonHome());
    mkdirSync(daemon.state, { mode: 0o700 });
    mkdirSync(daemon.workspace);
    daemon.configure(config);
    process.env.DAEMON_SDK_HOME = daemon.state;
    // Clients that find no daemon start one of a version.
    process.env.DAEMON_SDK_PROGRAM = failpointBuild(VERSIONS[0]).daemon;
    const { code, output } = await daemon.run(VERSIONS[0], "start");
    assert.equal(code, 0, output);
    return daemon;
  }

  private constructor(home: DaemonHome) {
    this.#home = home;
    this.workspace = join(home.state, "..", "work");
  }

  get state(): string {
    return this.#home.state;
  }

  /** Version and process of the daemon that serves. */
  get endpoint(): { readonly version: string; readonly pid: number } {
    return JSON.parse(readFileSync(join(this.state, "endpoint.json"), "utf8"));
  }

  get log(): string {
    return readFileSync(join(this.state, "daemon.log"), "utf8");
  }

  configure(config: object): void {
    writeFileSync(join(this.state, "config.json"), JSON.stringify(config), { mode: 0o600 });
  }

  /** Replaces the daemon by the other version. Resolves with the time in ms. */
  async change(...options: string[]): Promise<number> {
    this.#changes += 1;
    const version = VERSIONS[this.#changes % 2] ?? VERSIONS[0];
    const before = this.endpoint;
    const started = performance.now();
    const { code, output } = await this.run(version, "restart", ...options);
    assert.equal(code, 0, `${output}\n${this.log.slice(-4_000)}`);
    assert.notEqual(this.endpoint.pid, before.pid);
    assert.equal(this.endpoint.version, version);
    return performance.now() - started;
  }

  /** Runs the command line of a version to its end. */
  async run(version: string, ...args: string[]): Promise<Run> {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, DAEMON_SDK_HOME: this.state };
    const program: ChildProcess = spawn(process.execPath, [failpointBuild(version).bin, ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [program.stdout, program.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    const code = await new Promise<number | null>((resolve) => program.once("close", resolve));
    return { code, output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run(VERSIONS[0], "stop", "--now");
    await this.#home[Symbol.asyncDispose]();
  }
}
