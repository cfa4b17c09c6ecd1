import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const SETTLE_MS = 20_000;
const POLL_MS = 20;

/** What stood open at some moment. */
export interface Standing {
  readonly resources: readonly string[];
  readonly processes: ReadonlySet<number>;
}

/**
 * Sees what no scenario may leave behind: rejections nobody handled, exceptions nobody caught, handles that hold the process,
 * and processes. One for the whole run, because a leftover may show only after the scenario that made it.
 */
export class Watch {
  readonly #mark: string;
  #uncaught: string[] = [];

  /**
   * @param temporaryDirectory of this run. It stands in the environment of every process that a scenario starts, agents
   * included, for TMPDIR passes their allow-list; that is how they are found (where there is a /proc).
   */
  constructor(temporaryDirectory: string) {
    this.#mark = `\0TMPDIR=${temporaryDirectory}\0`;
    // Opened when they are first asked for, which is no leftover of the scenario that does.
    for (const stream of [process.stdout, process.stderr]) void stream.writable;
    process.on("unhandledRejection", (reason) => this.#uncaught.push(`unhandled rejection: ${textOf(reason)}`));
    process.on("uncaughtException", (error) => this.#uncaught.push(`uncaught exception: ${textOf(error)}`));
  }

  /** What stands open now. */
  look(): Standing {
    return { resources: process.getActiveResourcesInfo().sort(), processes: new Set(this.#processes()) };
  }

  /** What has come on top of `before` and does not go by itself, one line each. Waits up to twenty seconds for it to go. */
  async leftSince(before: Standing): Promise<string[]> {
    const deadline = performance.now() + SETTLE_MS;
    let left = this.#since(before);
    while (left.length > 0 && performance.now() < deadline) {
      await delay(POLL_MS);
      left = this.#since(before);
    }
    const uncaught = this.#uncaught;
    this.#uncaught = [];
    return [...uncaught, ...left];
  }

  /** Ends what a failed scenario left running, so that the next one is not disturbed. */
  endProcessesSince(before: Standing): void {
    for (const pid of this.#processes()) if (!before.processes.has(pid)) process.kill(pid, "SIGKILL");
  }

  #since(before: Standing): string[] {
    const now = this.look();
    const known = [...before.resources];
    const resources = now.resources.filter((name) => {
      const at = known.indexOf(name);
      if (at !== -1) known.splice(at, 1);
      return at === -1;
    });
    const processes = [...now.processes].filter((pid) => !before.processes.has(pid));
    return [
      ...resources.map((name) => `a handle is left open: ${name}`),
      ...processes.map((pid) => `a process is left: ${pid} ${read(pid, "cmdline").replaceAll("\0", " ")}`),
    ];
  }

  #processes(): number[] {
    if (!existsSync("/proc/self/environ")) return [];
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((pid) => `\0${read(pid, "environ")}`.includes(this.#mark));
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}

function textOf(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}
