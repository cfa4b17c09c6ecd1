import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { createInterface, type Interface } from "node:readline";

/** A process that is started in the package finds it built, by its name. Not told by this file, which may be part of a bundle. */
const PACKAGE = dirname(createRequire(import.meta.url).resolve("@daemon-sdk/local-daemon/package.json"));

/** Loads the built package, waits for a line on stdin, connects, tells whom it reached, and stays until stdin ends. */
const PROGRAM = `
  import { createInterface } from "node:readline";
  import { connectLocal } from "@daemon-sdk/local-daemon";
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  console.log("ready");
  await lines.next();
  const started = performance.now();
  const { endpoint, transport } = await connectLocal();
  console.log(JSON.stringify({ ...endpoint, tookMs: performance.now() - started }));
  await lines.next();
  transport.terminate();
`;

/** What one of the processes reached. */
export interface Reached {
  readonly pid: number;
  readonly instanceId: string;
  readonly started: boolean;
  readonly tookMs: number;
}

/** A process of its own that wants a daemon, held at a barrier. */
export class Contender {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(child: ChildProcess, reader: Interface) {
    this.#child = child;
    this.#reader = reader;
    this.#lines = reader[Symbol.asyncIterator]();
  }

  /** Resolves when the process has loaded everything and waits. `isApart`: in a network of its own, where there is `unshare`. */
  static async load(stateDir: string, isApart = false): Promise<Contender> {
    const command = isApart ? ["unshare", "-n", process.execPath] : [process.execPath];
    const [program = "", ...args] = [...command, "--input-type=module", "-e", PROGRAM];
    const { PATH, HOME, TMPDIR } = process.env;
    const child = spawn(program, args, {
      cwd: PACKAGE,
      env: { PATH, HOME, TMPDIR, DAEMON_SDK_HOME: stateDir },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const contender = new Contender(child, createInterface({ input: child.stdout }));
    await contender.#lines.next();
    return contender;
  }

  async connect(): Promise<Reached> {
    this.#child.stdin?.write("go\n");
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("A contender ended without a daemon; its stderr says why.");
    return JSON.parse(value);
  }

  async leave(): Promise<void> {
    this.#reader.close();
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.stdin?.end();
    await exited;
  }
}
