import { InvalidOptionError } from "@daemon-sdk/protocol";

/** Throws when `value` is defined and is not a string, or is blank. */
export function checkText(option: string, value: unknown): void {
  if (value !== undefined && (typeof value !== "string" || value.trim() === "")) {
    throw new InvalidOptionError(option, "a string that is not empty", value);
  }
}

/** Throws when `value` is defined and is not a whole number within the bounds. */
export function checkInteger(option: string, value: unknown, min: number, max = Infinity): void {
  if (value === undefined) return;
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
    const range = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new InvalidOptionError(option, `a whole number ${range}`, value);
  }
}

/** Throws when `value` is defined and cannot be called. */
export function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") throw new InvalidOptionError(option, "a function", value);
}

/** Throws when `value` is defined and is not one of `accepted`. With `nullable`, `null` passes, which clears a setting. */
export function checkOneOf(option: string, value: unknown, accepted: readonly string[], nullable = false): void {
  if (value === undefined || (nullable && value === null)) return;
  if (typeof value !== "string" || !accepted.includes(value)) {
    throw new InvalidOptionError(option, `one of ${accepted.map((one) => `"${one}"`).join(", ")}`, value);
  }
}

/** Throws when `value` is not an object; returns it as a record otherwise. */
export function requireObject(option: string, value: unknown, what = "an object"): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(option, what, value);
  }
  return value as Record<string, unknown>;
}

/** Throws when `value` is defined and is not an `AbortSignal` (of any realm, with a reason). */
export function checkSignal(option: string, value: unknown): void {
  if (value === undefined) return;
  // Older signals without a reason have no such method either.
  const isSignal = typeof (value as Partial<AbortSignal> | null)?.throwIfAborted === "function";
  if (!isSignal) throw new InvalidOptionError(option, "an AbortSignal", value);
}
