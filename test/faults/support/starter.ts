import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/** The built package's door, by its path: the starters run outside of any package. */
const DOOR = pathToFileURL(createRequire(import.meta.url).resolve("@daemon-sdk/local-daemon"));

/** Loads the package, waits for a line, connects, tells whom it reached, and stays until its stdin ends. */
const PROGRAM = `
  import { createInterface } from "node:readline";
  import door from ${JSON.stringify(DOOR.href)};
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  console.log("ready");
  await lines.next();
  const started = performance.now();
  const { endpoint, transport } = await door.connectLocal();
  console.log(JSON.stringify({ ...endpoint, tookMs: performance.now() - started }));
  await lines.next();
  transport.terminate();
`;

/** What one starter reached. */
export interface Reached {
  readonly pid: number;
  readonly instanceId: string;
  readonly started: boolean;
  readonly tookMs: number;
}

/** Who races. */
export interface Race {
  readonly state: string;
  readonly count: number;
  /** Which of them run in a network of their own. */
  isApart(index: number): boolean;
}

/** Loads that many processes, lets them all want a daemon at once, and ends them when all have one. */
export async function raceFor({ state, count, isApart }: Race): Promise<Reached[]> {
  const starters = Array.from({ length: count }, (_none, index) => new Starter(state, isApart(index)));
  try {
    await Promise.all(starters.map((starter) => starter.loaded()));
    return await Promise.all(starters.map((starter) => starter.connect()));
  } finally {
    await Promise.all(starters.map((starter) => starter.leave()));
  }
}

class Starter {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  constructor(state: string, isApart: boolean) {
    const command = isApart ? ["unshare", "-n", process.execPath] : [process.execPath];
    const [program = "", ...args] = [...command, "--input-type=module", "-e", PROGRAM];
    const { PATH, HOME, TMPDIR } = process.env;
    const child = spawn(program, args, {
      env: { PATH, HOME, TMPDIR, DAEMON_SDK_HOME: state },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child = child;
    this.#exited = once(child, "exit");
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  async loaded(): Promise<void> {
    await this.#lines.next();
  }

  async connect(): Promise<Reached> {
    this.#child.stdin?.write("go\n");
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("A starter ended without a daemon; its stderr says why.");
    return JSON.parse(value) as Reached;
  }

  async leave(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }
}
