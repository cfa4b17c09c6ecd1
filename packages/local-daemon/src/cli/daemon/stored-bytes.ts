import { type GetMetricsResult, METHODS } from "@daemon-sdk/protocol";
import type { DaemonCall } from "../daemon-call.js";

/** What one principal has stored, and may; without a bound there is no `maxBytes`. */
export interface StoredBytesOf {
  readonly principal: string;
  readonly bytes: number;
  readonly maxBytes?: number;
}

/** What each principal has stored, the one with most first. Empty for a daemon that does not count. */
export async function storedBytesOf({ engine }: DaemonCall): Promise<StoredBytesOf[]> {
  const { metrics } = await engine.request(METHODS.getMetrics, {});
  const bounds = samplesOf(metrics, "daemon_sdk_stored_bytes_max");
  return [...samplesOf(metrics, "daemon_sdk_stored_bytes")].map(([principal, bytes]) => {
    const maxBytes = bounds.get(principal);
    return maxBytes === undefined || maxBytes >= Number.MAX_SAFE_INTEGER
      ? { principal, bytes }
      : { principal, bytes, maxBytes };
  });
}

/** The same in words. */
export function storedBytesText(stored: readonly StoredBytesOf[]): string {
  return stored
    .map(({ principal, bytes, maxBytes }) => {
      const bound = maxBytes === undefined ? "" : ` of ${mebibytes(maxBytes)}`;
      return `${principal} ${mebibytes(bytes)}${bound} MiB`;
    })
    .join(", ");
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toLocaleString("en", { maximumFractionDigits: 1 });
}

function samplesOf(metrics: GetMetricsResult["metrics"], name: string): ReadonlyMap<string, number> {
  const samples = metrics.find((metric) => metric.name === name)?.samples ?? [];
  return new Map(samples.map(({ labels, value }) => [labels?.principal ?? "", value]));
}
