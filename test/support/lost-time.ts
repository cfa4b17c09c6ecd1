import { readFileSync } from "node:fs";

const TICK_MS = 50;

/**
 * Starts to measure the time that something timed here loses because other programs use this machine's cores. The returned function
 * ends that, and returns the milliseconds lost: what was timed, less the lost time, is held against an absolute bound, which a busy
 * machine then does not break.
 *
 * Lost is what a timer of this process was late by, less the processor time of this process, and what the first thread of `pid`,
 * which runs the loop of a Node program, waited for a core. So code under test that computes for long, or waits for a timer, loses nothing.
 */
export function watchLostTime(pid: number): () => number {
  const waitedBefore = waitedMs(pid);
  let last = performance.now();
  let cpu = process.cpuUsage();
  let lateMs = 0;
  const look = () => {
    const now = performance.now();
    const { user, system } = process.cpuUsage(cpu);
    lateMs += Math.max(0, now - last - TICK_MS - (user + system) / 1000);
    last = now;
    cpu = process.cpuUsage();
  };
  const timer = setInterval(look, TICK_MS);
  return () => {
    look();
    clearInterval(timer);
    return lateMs + waitedMs(pid) - waitedBefore;
  };
}

/** How long the first thread of a process was ready to run without a core so far, as Linux counts it. */
function waitedMs(pid: number): number {
  const [, waitedNs] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ");
  return Number(waitedNs) / 1e6;
}
