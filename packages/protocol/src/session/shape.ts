import { isRecord } from "../base/index.js";

/** Checks a value. */
export type Check = (value: unknown) => boolean;

const KINDS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["", (value) => typeof value === "string"],
  // Finite only: `1e999` in JSON parses to Infinity and is refused.
  ["#", (value) => Number.isFinite(value)],
  ["!", (value) => typeof value === "boolean"],
  ["{}", isRecord],
  ["[]", Array.isArray],
]);

/**
 * The check of an object, from the names of its fields: `"id count# done! settings{} list[] title?"`.
 *
 * A bare name is a string, `#` marks a number, `!` a boolean, `{}` an object, `[]` an array, and a final `?` an optional field.
 * `others` checks fields of other types, and is called for absent ones as well. Further keys are accepted.
 */
export function shape<Value = unknown>(
  fields: string,
  others: Readonly<Record<string, Check>> = {},
): (value: unknown) => value is Value {
  const checks = fields.split(" ").flatMap((field): [string, Check][] => {
    const [, name = "", kind = "", optional] = /^(\w*)(\W*?)(\??)$/.exec(field) ?? [];
    const check = KINDS.get(kind);
    if (name === "" || check === undefined) return [];
    return [[name, optional === "" ? check : optionally(check)]];
  });
  checks.push(...Object.entries(others));
  return (value): value is Value => isRecord(value) && checks.every(([name, check]) => check(value[name]));
}

/** Absent, or what `check` accepts. */
export function optionally(check: Check): Check {
  return (value) => value === undefined || check(value);
}

/** An array of what `check` accepts. */
export function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every((item) => check(item));
}
