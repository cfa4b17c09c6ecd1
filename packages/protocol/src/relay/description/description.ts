/**
 * The shape of a value of the relay wire, as plain data. Each payload has one description. `guardOf` derives the guard from
 * it, and `@daemon-sdk/protocol/relay/schema` the zod schema.
 *
 * A description lists known fields. Further fields are accepted everywhere, and enums are open: any string is accepted.
 */
export type Description<T = unknown> = Shape & { readonly [described]?: (value: T) => T };

/** Binds a description to the type it describes, in both directions. Absent at run time. */
declare const described: unique symbol;

/** The data of a {@link Description}. */
export type Shape =
  | { readonly kind: "text" | "flag" | "number" | "integer" | "record" | "json" | "anything" | "textOrFlag" }
  | { readonly kind: "list"; readonly item: Shape }
  | { readonly kind: "object"; readonly fields: readonly Field[] };

/** One field of an object. */
export interface Field {
  readonly key: string;
  readonly shape: Shape;
  /** Whether the field may be absent. The frame parser reads `null` as absent; guards and schemas do not. */
  readonly isOptional: boolean;
}

/** A description of an optional field. */
export interface Optional<T> {
  readonly optional: Description<T>;
}

/** A description for every field of `T`. A missing or extra one, or one of another type, does not compile. */
export type FieldDescriptions<T> = {
  readonly [Key in keyof T]-?: undefined extends T[Key] ? Optional<Exclude<T[Key], undefined>> : Description<T[Key]>;
};

/** A string. */
export const text: Description<string> = { kind: "text" };
/** True or false. */
export const flag: Description<boolean> = { kind: "flag" };
/** A finite number. `1e999` is JSON and parses to Infinity, which is refused. */
export const number: Description<number> = { kind: "number" };
/** A whole number that arithmetic keeps exact. */
export const integer: Description<number> = { kind: "integer" };
/** An object with any keys. */
export const record: Description<Record<string, unknown>> = { kind: "record" };
/** A value that JSON can state, the value of a required field. */
export type JsonBody = string | number | boolean | object | null;

/** Any JSON value. Unlike `anything`, it must be there. */
export const json: Description<JsonBody> = { kind: "json" };
/** Any value, for data of users. */
export const anything: Description<unknown> = { kind: "anything" };
/** A string, or true or false. */
export const textOrFlag: Description<string | boolean> = { kind: "textOrFlag" };

/** An array whose items `item` describes. */
export function listOf<T>(item: Description<T>): Description<T[]> {
  return { kind: "list", item };
}

/** Marks a field as optional. */
export function optional<T>(description: Description<T>): Optional<T> {
  return { optional: description };
}

/** An object with these fields; further fields are accepted. */
export function object<T extends object>(fields: FieldDescriptions<T>): Description<T> {
  const entries = Object.entries(fields as Readonly<Record<string, Shape | Optional<unknown>>>);
  return {
    kind: "object",
    fields: entries.map(([key, field]) =>
      "optional" in field ? { key, shape: field.optional, isOptional: true } : { key, shape: field, isOptional: false },
    ),
  };
}
