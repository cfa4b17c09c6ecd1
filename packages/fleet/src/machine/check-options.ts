import { InvalidOptionError } from "@daemon-sdk/protocol";

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
