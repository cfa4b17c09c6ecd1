import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether nats-server is installed. */
export const HAS_NATS = isInstalled();

/** What a skipped test says. */
export const NO_NATS = HAS_NATS ? "" : " (skipped: nats-server is not on PATH; apt-get install nats-server)";

function isInstalled(): boolean {
  try {
    execFileSync("nats-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A nats-server of a test's own, with JetStream, on a port that the system chose. */
export class NatsServer {
  readonly port: number;
  readonly #directory: string;
  readonly #settings: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, settings: string) {
    this.port = port;
    this.#settings = settings;
    this.#directory = mkdtempSync(join(tmpdir(), "nats-"));
  }

  /** @param settings lines of the server's configuration file */
  static async start(settings = ""): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), settings);
    await server.run();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts the process, also anew on its store. */
  async run(): Promise<void> {
    const file = join(this.#directory, "nats.conf");
    writeFileSync(file, this.#settings);
    const store = this.#settings.includes("store_dir") ? [] : ["-js", "-sd", this.#directory];
    const args = ["-c", file, "-a", "127.0.0.1", "-p", String(this.port), ...store];
    const child = spawn("nats-server", args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      let log = "";
      child.stderr.on("data", (piece: Buffer) => {
        log += String(piece);
        if (log.includes("Server is ready")) resolve();
      });
      child.once("exit", (code) => reject(new Error(`nats-server ended with ${code}:\n${log}`)));
    });
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A port that forwards to another until it is cut. */
export class CuttablePort {
  readonly #server;
  readonly #sockets = new Set<{ destroy(): void }>();

  private constructor(target: number) {
    this.#server = createServer((near) => {
      const far = connect(target, "127.0.0.1");
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.once("close", () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far);
      far.pipe(near);
    });
  }

  static async open(target: number): Promise<CuttablePort> {
    const port = new CuttablePort(target);
    port.#server.listen(0, "127.0.0.1");
    await once(port.#server, "listening");
    return port;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks every connection that passes. The next one passes again. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}
