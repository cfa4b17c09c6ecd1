import { readdirSync, readFileSync } from "node:fs";

/** Pids of the guards of one start of a daemon, on Linux. */
export function guardsOf(instanceId: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    const words = /^\d+$/.test(pid) ? commandOf(pid) : [];
    return words.includes("agent-guard") && words.some((word) => word.endsWith(instanceId)) ? [Number(pid)] : [];
  });
}

function commandOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
