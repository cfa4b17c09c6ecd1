import { isRecord } from "../../base/index.js";
import type { Description, Field, Shape } from "./description.js";

/** Checks whether a value has the type. */
export type Guard<T> = (value: unknown) => value is T;

type Check = (value: unknown) => boolean;

/** Up to this many optional fields are looked up one by one. With more of them the value's own keys are walked, which are usually fewer. */
const FEW_FIELDS = 2;

/**
 * Makes the guard of a description. The guard reads known fields only, and never uses a name chosen by a peer as a key of a
 * plain object.
 */
export function guardOf<T>(description: Description<T>): Guard<T> {
  return checkOf(description) as Guard<T>;
}

function checkOf(shape: Shape): Check {
  switch (shape.kind) {
    case "text":
      return (value) => typeof value === "string";
    case "flag":
      return (value) => typeof value === "boolean";
    case "number":
      return Number.isFinite;
    case "integer":
      return Number.isSafeInteger;
    case "record":
      return isRecord;
    case "json":
      return (value) => value !== undefined;
    case "anything":
      return () => true;
    case "textOrFlag":
      return (value) => typeof value === "string" || typeof value === "boolean";
    case "list":
      return listCheck(checkOf(shape.item));
    case "object":
      return objectCheck(shape.fields);
  }
}

function listCheck(check: Check): Check {
  return (value) => Array.isArray(value) && value.every((item) => check(item));
}

interface FieldCheck {
  readonly key: string;
  /** Nearly all fields are texts: no function is called for them. */
  readonly isText: boolean;
  readonly check: Check;
}

function objectCheck(fields: readonly Field[]): Check {
  const required = fields.filter(({ isOptional }) => !isOptional).map(fieldCheck);
  const optional = fields.filter(({ isOptional }) => isOptional).map(fieldCheck);
  const isFew = optional.length <= FEW_FIELDS;
  const byKey = new Map(optional.map((field) => [field.key, field]));
  return (value) => {
    if (!isRecord(value)) return false;
    for (const field of required) if (!holds(field, value[field.key])) return false;
    if (!isFew) return hasFitting(value, byKey);
    for (const field of optional) {
      const held = value[field.key];
      if (held !== undefined && !holds(field, held)) return false;
    }
    return true;
  };
}

function fieldCheck({ key, shape }: Field): FieldCheck {
  return { key, isText: shape.kind === "text", check: checkOf(shape) };
}

function hasFitting(value: Readonly<Record<string, unknown>>, fields: ReadonlyMap<string, FieldCheck>): boolean {
  for (const key in value) {
    const field = fields.get(key);
    if (field === undefined) continue;
    const held = value[key];
    if (held !== undefined && !holds(field, held)) return false;
  }
  return true;
}

function holds({ isText, check }: FieldCheck, value: unknown): boolean {
  return isText ? typeof value === "string" : check(value);
}
