import { isRecord } from "../session/guards.js";

/**
 * What the relay's guards are made of. A guard reads own, known fields and looks no further: unknown fields are
 * allowed everywhere, and nothing a peer names is ever used as a key of a plain object.
 */

/** Tells whether a value has the type. */
export type Guard<T> = (value: unknown) => value is T;

/** A guard for a field that may be left out. `null` is not the same as left out, as in the schemas. */
export interface OptionalGuard<T> {
  readonly optional: Guard<T>;
}

/** A guard for every field of `T`; leaving one out does not compile, nor does calling a required one optional. */
export type FieldGuards<T> = {
  readonly [Key in keyof T]-?: undefined extends T[Key] ? OptionalGuard<Exclude<T[Key], undefined>> : Guard<T[Key]>;
};

/** Whether `value` is a string. */
export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Whether `value` is true or false. */
export function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

/** Whether `value` is a number; `1e999` is JSON, and parses to an infinity that is not one here. */
export function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Whether `value` is a whole number that arithmetic keeps exact. */
export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Whether `value` is anything at all: for fields that carry the users' own data. */
export function isAnything(_value: unknown): _value is unknown {
  return true;
}

/** A guard for an array of what `item` takes. */
export function listOf<T>(item: Guard<T>): Guard<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(item);
}

/** Marks a field as one that may be left out. */
export function optional<T>(guard: Guard<T>): OptionalGuard<T> {
  return { optional: guard };
}

/** A guard for an object with these fields, and any others beside them. */
export function shape<T extends object>(fields: FieldGuards<T>): Guard<T> {
  const required: [string, Guard<unknown>][] = [];
  const optionals: [string, Guard<unknown>][] = [];
  for (const [key, field] of Object.entries<Guard<unknown> | OptionalGuard<unknown>>(fields)) {
    if (typeof field === "function") required.push([key, field]);
    else optionals.push([key, field.optional]);
  }
  return (value): value is T => {
    if (!isRecord(value)) return false;
    for (const [key, guard] of required) if (!guard(value[key])) return false;
    for (const [key, guard] of optionals) if (value[key] !== undefined && !guard(value[key])) return false;
    return true;
  };
}

/**
 * Whether `value` is safe to handle: it nests at most `levels` deep (a scalar is no level), and holds no key that can
 * replace a prototype once somebody copies it: `__proto__`, or `constructor` over an object with `prototype`.
 *
 * A walk over keys, not a search in the text: strings may be long, and are not looked at.
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
