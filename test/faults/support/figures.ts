import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The figure below which that share of the others lies. */
export function quantile(figures: Iterable<number>, share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A number for people: `12`, `3.4`, `0.12`. */
export function round(figure: number): string {
  return figure >= 100 ? figure.toFixed(0) : figure >= 1 ? figure.toFixed(1) : figure.toFixed(2);
}

/** Bytes for people, in KiB or MiB. */
export function bytes(count: number): string {
  return Math.abs(count) >= 2 ** 20 ? `${round(count / 2 ** 20)} MiB` : `${round(count / 1024)} KiB`;
}

/** Resident memory of a process, in bytes. Linux only. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
}

/** Open file descriptors of a process. Linux only. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** What the descriptors of a process that are files lead to. */
export function openPaths(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    } catch {
      // It was closed meanwhile.
      return [];
    }
  });
}

/** Why a scenario that looks into other processes cannot run here; undefined where it can. */
export function withoutProc(): string | undefined {
  return process.platform === "linux" ? undefined : "it looks into /proc, which only Linux has";
}
