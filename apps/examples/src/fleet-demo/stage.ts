import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DAEMON_PROGRAM = createRequire(import.meta.url)
  .resolve("@daemon-sdk/local-daemon/package.json")
  .replace(/package\.json$/, join("dist", "bin.cjs"));
const HOST = "127.0.0.1";

/** The processes of the demo of a fleet, and their files. All of them are gone at its end. */
export class FleetStage implements AsyncDisposable {
  readonly url: string;
  readonly workspace: string;
  readonly #directory: string;
  /** The region of each machine. */
  readonly #regions: Readonly<Record<string, string>>;
  readonly #machines = new Map<string, ChildProcess>();
  readonly #server: ChildProcess;

  private constructor(directory: string, port: number, regions: Readonly<Record<string, string>>) {
    this.url = `nats://${HOST}:${port}`;
    this.workspace = join(directory, "work");
    this.#directory = directory;
    this.#regions = regions;
    mkdirSync(this.workspace);
    const args = ["-a", HOST, "-p", String(port), "-js", "-sd", join(directory, "nats")];
    this.#server = spawn("nats-server", args, { stdio: ["ignore", "ignore", "pipe"] });
  }

  /** Starts a nats-server and a daemon for each machine. */
  static async open(regions: Readonly<Record<string, string>>): Promise<FleetStage> {
    const directory = mkdtempSync(join(tmpdir(), "fleet-demo-"));
    const stage = new FleetStage(directory, await freePort(), regions);
    try {
      await stage.#ready();
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
    console.log(`nats     process ${stage.#server.pid} at ${stage.url}`);
    for (const machineId of Object.keys(regions)) stage.start(machineId);
    return stage;
  }

  /** Starts the daemon of a machine, also again on its state directory. */
  start(machineId: string): void {
    const stateDir = join(this.#directory, machineId);
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const fleet = ["--fleet", this.url, "--machine", machineId, "--label", `region=${this.#regions[machineId]}`];
    const child = spawn(process.execPath, [DAEMON_PROGRAM, "start", "--foreground", ...fleet], {
      stdio: "ignore",
      env: { ...process.env, DAEMON_SDK_HOME: stateDir },
    });
    this.#machines.set(machineId, child);
  }

  /** Ends the daemon of a machine as a power cut does. */
  async kill(machineId: string): Promise<void> {
    const child = this.#machines.get(machineId);
    if (child !== undefined) await end(child, "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#machines.values()].map((child) => end(child, "SIGTERM")));
    await end(this.#server, "SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const hint = "The demo of a fleet needs nats-server on PATH: apt-get install nats-server";
      this.#server.once("error", (cause) => reject(new Error(hint, { cause })));
      this.#server.once("exit", (code) => reject(new Error(`nats-server ended with ${code}`)));
      this.#server.stderr?.on("data", (piece: Buffer) => {
        if (String(piece).includes("Server is ready")) resolve();
      });
    });
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
