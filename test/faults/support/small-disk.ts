import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DAEMON_PROGRAM } from "../../support/daemon-process.js";

const POLL_MS = 10;
/** A disk that may have no room for a file of its own. */
const NO_CONFIG: object = {};

/** Why a scenario with a disk of its own cannot run here; undefined where it can. */
export function withoutMounts(): string | undefined {
  return spawnSync("unshare", ["-m", "true"]).status === 0 ? undefined : "this user may not make mount namespaces";
}

/** A state directory on a file system of its own, in a mount namespace of its own, and a daemon there. */
export class SmallDisk implements AsyncDisposable {
  readonly #directory: string;
  readonly #child: ReturnType<typeof spawn>;
  said = "";

  private constructor(directory: string, options: string, config: object) {
    this.#directory = directory;
    const path = join(directory, "config.json");
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    const place = config === NO_CONFIG ? "" : 'cp -p "$3" "$2/config.json" && ';
    const script = `mount -t tmpfs -o "$1,mode=0700" tmpfs "$2" && ${place}shift 3 && exec "$@"`;
    const program = [process.execPath, DAEMON_PROGRAM, "start", "--foreground", "--port", "0"];
    this.#child = spawn("unshare", ["-m", "sh", "-c", script, "sh", options, this.#mountPoint, path, ...program], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, DAEMON_SDK_HOME: this.#mountPoint },
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.said += text;
    });
  }

  /** Mounts it and starts a daemon on it. */
  static async mount(options: string, config?: object): Promise<SmallDisk> {
    const disk = SmallDisk.begin(options, config);
    while (disk.endpoint() === undefined) {
      assert.ok(disk.isRunning, `the daemon starts: ${disk.said}`);
      await delay(POLL_MS);
    }
    return disk;
  }

  /** The same without waiting for the daemon to be there. */
  static begin(options: string, config: object = NO_CONFIG): SmallDisk {
    const directory = mkdtempSync(join(tmpdir(), "disk-"));
    mkdirSync(join(directory, "state"));
    mkdirSync(join(directory, "work"));
    return new SmallDisk(directory, options, config);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get workspace(): string {
    return join(this.#directory, "work");
  }

  /** Where clients connect, and with what. */
  get access(): { readonly url: string; readonly token: string } {
    const url = `ws://127.0.0.1:${this.endpoint()?.port}`;
    return { url, token: readFileSync(this.path("token"), "utf8").trim() };
  }

  /** A file of the state directory, as the daemon sees it. */
  path(name: string): string {
    return join(`/proc/${this.#child.pid}/root`, this.#mountPoint, name);
  }

  /** What stands in the endpoint file; undefined while there is none. Throws when it is no JSON. */
  endpoint(): { readonly port: number } | undefined {
    const path = this.path("endpoint.json");
    if (!this.isRunning || !existsSync(path)) return undefined;
    return JSON.parse(readFileSync(path, "utf8")) as { port: number };
  }

  /** Takes all the room there is. */
  fill(): void {
    const { stderr } = spawnSync("dd", ["if=/dev/zero", `of=${this.path("ballast")}`, "bs=4096"], { encoding: "utf8" });
    assert.match(stderr, /No space left/);
  }

  free(): void {
    rmSync(this.path("ballast"));
  }

  /** Makes it ten times as large as it needs to be, for good. */
  grow(): void {
    const options = ["-t", String(this.#child.pid), "-m", "mount", "-o", "remount,size=512m", this.#mountPoint];
    const { status, stderr } = spawnSync("nsenter", options, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) {
      const exited = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      this.#child.kill("SIGINT");
      await exited;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #mountPoint(): string {
    return join(this.#directory, "state");
  }
}
