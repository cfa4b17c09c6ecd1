import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureLocalDaemon } from "@daemon-sdk/client/local";
import { within } from "../../stress/check.js";
import { RoleProcess } from "../roles/role.js";
import type { FaultContext } from "../scenario.js";
import { ended, environmentOf } from "./daemon-home.js";

const KILLS = 50;
/** A round's instant lies before the start of the daemon is over, or after its agents have started others, or between. */
const INSTANT_MS = 1_500;
const GONE_MS = 20_000;
const POLL_MS = 20;

/**
 * Rounds of daemon, client, agents and what those start, also in sessions of their own; one of the three is killed at some instant.
 * Then the next start, which reaps, and a stop: nothing that was ever started is left. The figure; throws when something is.
 */
export async function orphansAfterKills(agentCommand: readonly string[], context: FaultContext): Promise<string> {
  const kills = context.count(KILLS, 3);
  const place = new Place(agentCommand);
  const counts = { daemon: 0, client: 0, agent: 0 };
  let seen = 0;
  try {
    while (counts.daemon + counts.client + counts.agent < kills) {
      const { victim, grandchildren } = await place.round(context);
      if (victim === "nobody") continue;
      counts[victim] += 1;
      seen += grandchildren;
    }
    await place.stop();
    assert.deepEqual(await place.left(), [], "orphans");
  } finally {
    await place.clear();
  }
  assert.ok(seen > 0 || context.scale < 1, "a grandchild of its own session was there at a kill");
  const who = Object.entries(counts);
  return `${kills} kills (${who.map(([name, count]) => `${count} ${name}`).join(", ")}; ${seen} with setsid grandchildren): 0 orphans`;
}

/** Nobody: what was to be killed was not there yet. */
type Victim = "daemon" | "client" | "agent" | "nobody";

/** A state directory and a directory for temporary files, which stands in the environment of everything that is started here. */
class Place {
  readonly #directory = mkdtempSync(join(tmpdir(), "orphans-"));
  readonly #state = join(this.#directory, "state");
  readonly #work = join(this.#directory, "work");

  constructor(command: readonly string[]) {
    mkdirSync(this.#state, { mode: 0o700 });
    mkdirSync(this.#work);
    const config = { agents: { bad: { command } }, defaultAgent: "bad" };
    writeFileSync(join(this.#state, "config.json"), JSON.stringify(config), { mode: 0o600 });
  }

  /** Starts a client, and with it whatever is not there, and kills one of them at some instant. */
  async round(context: FaultContext): Promise<{ victim: Victim; grandchildren: number }> {
    await using client = RoleProcess.start("orphan-maker", { args: [this.#work], env: this.#env });
    await client.next();
    await delay(context.below(INSTANT_MS));
    const kinds: Victim[] = ["daemon", "client", "agent"];
    const wanted = kinds[context.below(kinds.length)] ?? "client";
    const grandchildren = this.#processes().filter((pid) => nameOf(pid).startsWith("sleep")).length;
    return { victim: await this.#kill(wanted, client, context), grandchildren: Math.min(1, grandchildren) };
  }

  /** What the kills left is reaped by the next daemon, and that one takes its own along when it is stopped. */
  async stop(): Promise<void> {
    const { pid = 0 } = await within(GONE_MS, ensureLocalDaemon({ stateDir: this.#state }));
    await within(GONE_MS, ended(pid, "SIGTERM"));
  }

  /** What is still there of everything that was started here, after a while. */
  async left(): Promise<string[]> {
    const deadline = performance.now() + GONE_MS;
    while (this.#processes().length > 0 && performance.now() < deadline) await delay(POLL_MS);
    return this.#processes().map((pid) => `${pid} ${nameOf(pid)}`);
  }

  async clear(): Promise<void> {
    for (const pid of this.#processes()) await ended(pid, "SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #kill(wanted: Victim, client: RoleProcess, context: FaultContext): Promise<Victim> {
    if (wanted === "client") await ended(client.child.pid ?? 0, "SIGKILL");
    const daemon = this.#daemonPid();
    if (wanted === "client" || daemon === 0) return wanted === "client" ? wanted : "nobody";
    if (wanted === "daemon") await ended(daemon, "SIGKILL");
    if (wanted !== "agent") return wanted;
    const agents = this.#processes().filter((pid) => environmentOf(pid).includes("\0DAEMON_SDK_SESSION="));
    const victim = agents[context.below(agents.length)];
    if (victim === undefined) return "nobody";
    await ended(victim, "SIGKILL");
    return "agent";
  }

  get #env(): NodeJS.ProcessEnv {
    return { TMPDIR: this.#directory, DAEMON_SDK_HOME: this.#state };
  }

  #daemonPid(): number {
    try {
      return Number((JSON.parse(readFileSync(join(this.#state, "endpoint.json"), "utf8")) as { pid: number }).pid);
    } catch {
      return 0;
    }
  }

  #processes(): number[] {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    const alive = pids.map(Number).filter((pid) => environmentOf(pid).includes(`\0TMPDIR=${this.#directory}\0`));
    return alive.filter((pid) => pid !== process.pid);
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
