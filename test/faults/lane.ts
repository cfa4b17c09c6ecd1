import { tmpdir } from "node:os";
import { endWithScenario, RoleProcess, say } from "./roles/role.js";
import { type Outcome, type RunOptions, runScenario } from "./run-scenario.js";
import { SCENARIOS } from "./scenarios.js";
import { Watch } from "./watch.js";

/** Name of the part that {@link playLane} plays. */
export const LANE = "lane";

/** A process that runs scenarios one after another, beside others of its kind. */
export class Lane implements AsyncDisposable {
  readonly #process: RoleProcess;

  private constructor(role: RoleProcess) {
    this.#process = role;
  }

  /** Starts it; all its scenarios get these options, and put their temporary files into that directory of its own. */
  static start({ seed, scale, minutes, part }: RunOptions, directory: string): Lane {
    const args = [JSON.stringify({ seed, scale, minutes, part })];
    return new Lane(RoleProcess.start(LANE, { args, execArgv: process.execArgv, env: { TMPDIR: directory } }));
  }

  /** Runs one scenario. The next one is started when its outcome is there. */
  run(id: string): Promise<Outcome> {
    return this.#process.ask<Outcome>({ id });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}

/** Runs the given scenarios, and checks after each for leftovers. */
export function playLane([options = "{}"]: readonly string[]): void {
  endWithScenario();
  const watch = new Watch(tmpdir());
  process.on("message", ({ id }: { id: string }) => {
    const running = runScenario(id, SCENARIOS.get(id), JSON.parse(options) as RunOptions, watch);
    void running.then((outcome) => say({ ...outcome }));
  });
}
