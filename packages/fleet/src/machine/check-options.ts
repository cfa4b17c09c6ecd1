import { InvalidOptionError } from "@daemon-sdk/protocol";
import type { ReplicaBounds } from "../replica/index.js";

/** Throws an `InvalidOptionError` for labels that are no record of texts. */
export function checkLabels(labels: unknown): void {
  const isRecord = typeof labels === "object" && labels !== null && !Array.isArray(labels);
  if (isRecord && Object.values(labels).every((value) => typeof value === "string")) return;
  throw new InvalidOptionError("labels", "an object whose values are texts", labels);
}

/** Throws an `InvalidOptionError` for a capacity that no load can be a share of. */
export function checkCapacity(capacity: unknown): void {
  if (typeof capacity === "number" && Number.isFinite(capacity) && capacity > 0) return;
  throw new InvalidOptionError("capacity", "a number above 0", capacity);
}

/** The bounds of a replica; undefined for none. Throws an `InvalidOptionError` for others than positive numbers. */
export function checkReplica(replica: boolean | ReplicaBounds): ReplicaBounds | undefined {
  if (typeof replica === "boolean") return replica ? {} : undefined;
  const { maxBytes = 1, maxAgeDays = 1 } = replica;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
    throw new InvalidOptionError("replica.maxBytes", "a whole number above 0", maxBytes);
  if (!Number.isFinite(maxAgeDays) || maxAgeDays <= 0)
    throw new InvalidOptionError("replica.maxAgeDays", "a number above 0", maxAgeDays);
  return replica;
}
