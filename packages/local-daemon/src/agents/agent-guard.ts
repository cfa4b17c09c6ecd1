import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { AGENT_LIMITS } from "../limits/index.js";
import { AGENT_MARKERS } from "./environment.js";

/**
 * Reads `+<pid>` and `-<pid>` until its input ends, which is the end of the program that started it, whatever ended that; `.`
 * dismisses it. Then it ends the groups as `AgentProcess` does, and on Linux every process with the mark of the daemon.
 *
 * A shell and not Node: it takes a megabyte and two milliseconds. Groups are checked in steps of a tenth of a second where `sleep`
 * can do that.
 *
 * $1: the mark. $2, $3: tenths of a second from the end of the agents' stdin to SIGTERM, and from there to SIGKILL. $4: scans.
 */
const GUARD = `
pids=
while read -r line; do
  case $line in
    .) exit 0 ;;
    +*) pids="$pids \${line#?}" ;;
    -*) left=; for pid in $pids; do [ "$pid" = "\${line#?}" ] || left="$left $pid"; done; pids=$left ;;
  esac
done
signal() { for pid in $pids; do kill -s "$1" -- "-$pid" 2>/dev/null; done; }
lives() { for pid in $pids; do kill -s 0 -- "-$pid" 2>/dev/null && return 0; done; return 1; }
await() { tenths=$1; while [ "$tenths" -gt 0 ] && lives; do sleep 0.1 2>/dev/null || sleep 1; tenths=$((tenths - 1)); done; }
await "$2"
signal TERM
await "$3"
signal KILL
scans=$4
while [ "$scans" -gt 0 ]; do
  found=$(grep -laF -- "$1" /proc/[0-9]*/environ 2>/dev/null)
  [ -n "$found" ] || exit 0
  for file in $found; do pid=\${file#/proc/}; kill -s KILL "\${pid%/environ}" 2>/dev/null; done
  scans=$((scans - 1))
done
`;

/** Options of {@link AgentGuard}. */
export interface AgentGuardOptions {
  /** Id of this start of the daemon, which marks its agents. */
  readonly instanceId: string;
  /** From the end of an agent's stdin to SIGTERM, and from there to SIGKILL; default those of `AGENT_LIMITS`. */
  readonly stdinGraceMs?: number;
  readonly termGraceMs?: number;
}

type Child = ChildProcessByStdio<Writable, null, null>;

/**
 * Ends the agents of this program when the program ends without having done so: by `process.exit`, a crash, or SIGKILL.
 *
 * It is a process of its own session, so that a signal to the program's group does not reach it. It holds the reading end of a
 * pipe, whose end it sees when the program is gone. It does not keep the program alive, and the program's own handling of signals
 * is not touched. A guard that was killed is replaced at the next start of an agent.
 */
export class AgentGuard {
  readonly #options: AgentGuardOptions;
  readonly #pids = new Set<number>();
  #child: Child | undefined;

  constructor(options: AgentGuardOptions) {
    this.#options = options;
  }

  /** Call it before an agent is started, so that there is a guard when it runs. Rejects when none can be started. */
  async ready(): Promise<void> {
    if (this.#child !== undefined) return;
    const child = this.#start();
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
  }

  /** A process leads its group and runs. */
  add(pid: number): void {
    this.#pids.add(pid);
    this.#write(`+${pid}\n`);
  }

  /** Nothing is left of that process and its group. */
  remove(pid: number): void {
    this.#pids.delete(pid);
    this.#write(`-${pid}\n`);
  }

  /** Dismisses the guard, once every agent is gone. */
  close(): void {
    this.#child?.stdin.end(".\n");
    this.#child = undefined;
  }

  #start(): Child {
    const { instanceId, stdinGraceMs, termGraceMs } = { ...AGENT_LIMITS, ...this.#options };
    const mark = `${AGENT_MARKERS.instance}=${instanceId}`;
    const numbers = [stdinGraceMs / 100, termGraceMs / 100, AGENT_LIMITS.sweepRounds].map((n) => String(Math.ceil(n)));
    const child = spawn("/bin/sh", ["-c", GUARD, "agent-guard", mark, ...numbers], {
      cwd: "/",
      // Without our marks, or the sweep of a session would kill it.
      env: { PATH: process.env.PATH ?? "/usr/bin:/bin" },
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#child = child;
    child.stdin.on("error", () => {});
    const gone = () => {
      if (this.#child === child) this.#child = undefined;
    };
    child.once("error", gone);
    child.once("exit", gone);
    child.unref();
    (child.stdin as Socket).unref();
    for (const pid of this.#pids) this.#write(`+${pid}\n`);
    return child;
  }

  #write(line: string): void {
    this.#child?.stdin.write(line);
  }
}
