/**
 * Whether `value` is safe to handle: it nests at most `levels` deep (a scalar is no level), and holds no key that can
 * replace a prototype once somebody copies it: `__proto__`, or `constructor` over an object with `prototype`.
 *
 * Walks over the keys instead of searching the text: strings may be long, and are not inspected.
 */
export function isSafeData(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isSafeData(item, levels - 1));
  for (const key in value) {
    if (key === "__proto__") return false;
    const field: unknown = (value as Record<string, unknown>)[key];
    if (typeof field !== "object" || field === null) continue;
    if (key === "constructor" && Object.hasOwn(field, "prototype")) return false;
    if (!isSafeData(field, levels - 1)) return false;
  }
  return true;
}
