import { createHash, timingSafeEqual } from "node:crypto";

/** Compares two secrets in a time that depends neither on where they differ nor on the length of the known one. */
export function secretsEqual(given: string, known: string): boolean {
  return timingSafeEqual(digest(given), digest(known));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
