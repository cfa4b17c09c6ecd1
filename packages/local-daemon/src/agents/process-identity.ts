import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { AGENT_LIMITS } from "../limits/index.js";

/** What the kernel states of a process that exists. */
interface ProcessStat {
  /** One letter; `Z` and `X` are dead and only wait to be collected. */
  readonly state: string;
  readonly startTime: string;
}

/**
 * When the process with this pid started, as text to compare and nothing else; undefined when it is dead or a zombie.
 *
 * Pid and start time name a process for ever: pids are used again, the pair is not. On Linux the start counts from boot, so
 * the boot's own id is part of the text.
 */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  return livingStart(process.platform === "linux" ? await readLinuxStat(pid) : await readStatByPs(pid));
}

function livingStart(stat: ProcessStat | undefined): string | undefined {
  return stat === undefined || stat.state === "Z" || stat.state === "X" ? undefined : stat.startTime;
}

/**
 * As {@link startTimeOf}, without giving up the loop on Linux: a child whose pipes nobody reads yet must not end meanwhile, or
 * Node discards what it wrote.
 */
export function startTimeOfChild(pid: number): string | undefined | Promise<string | undefined> {
  if (process.platform !== "linux") return startTimeOf(pid);
  const stat = readTextSync(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : livingStart(parseLinuxStat(stat, bootId()));
}

/** Whether that very process still runs, and not a later one that was given its pid. */
export async function isSameProcess(pid: number, startTime: string): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}

async function readLinuxStat(pid: number): Promise<ProcessStat | undefined> {
  const stat = await readText(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : parseLinuxStat(stat, bootId());
}

/** Reads one line of `/proc/<pid>/stat`. The name in it may hold spaces and brackets, so fields count from its last `)`. */
export function parseLinuxStat(line: string, boot: string): ProcessStat | undefined {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  // Numbers of proc(5): state is field 3, start time field 22, both counted from 1; two of them stand before the `)`.
  const state = fields[0];
  const startTime = fields[19];
  return state === undefined || startTime === undefined ? undefined : { state, startTime: `${boot}/${startTime}` };
}

let boot: string | undefined;

function bootId(): string {
  boot ??= readTextSync("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  return boot;
}

function readTextSync(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // As in `readText`.
    return undefined;
  }
}

async function readStatByPs(pid: number): Promise<ProcessStat | undefined> {
  try {
    // `lstart` is a local time in words: fixed zone and language, or a change of either would make it another process.
    const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", TZ: "UTC", LC_ALL: "C" };
    const { stdout } = await promisify(execFile)("ps", ["-o", "state=,lstart=", "-p", String(pid)], {
      env,
      timeout: AGENT_LIMITS.psTimeoutMs,
    });
    const [state, ...words] = stdout.trim().split(/\s+/);
    return state === undefined || words.length === 0
      ? undefined
      : { state: state.slice(0, 1), startTime: words.join(" ") };
  } catch {
    // `ps` exits 1 when there is no such process.
    return undefined;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // Gone between the question and the answer, or never there: both mean "no such process".
    return undefined;
  }
}
