/**
 * What a value of the relay wire looks like, as plain data. Each payload is described once: `guardOf` makes its guard of it,
 * and the schemas of `@daemon-sdk/protocol/relay/schema` are made of the same.
 *
 * A description names the fields it knows. Others are let through everywhere, and enums are open: any string will do.
 */
export type Description<T = unknown> = Shape & { readonly [described]?: (value: T) => T };

/** Binds a description to the type it describes, in both directions; it is not there at run time. */
declare const described: unique symbol;

/** The data of a {@link Description}. */
export type Shape =
  | { readonly kind: "text" | "flag" | "number" | "integer" | "record" | "anything" | "textOrFlag" }
  | { readonly kind: "list"; readonly item: Shape }
  | { readonly kind: "object"; readonly fields: readonly Field[] };

/** One field of an object. */
export interface Field {
  readonly key: string;
  readonly shape: Shape;
  /** May be left out. `null` is not the same as left out. */
  readonly isOptional: boolean;
}

/** A description of a field that may be left out. */
export interface Optional<T> {
  readonly optional: Description<T>;
}

/** A description for every field of `T`: one too few, one too many, or one of another type does not compile. */
export type FieldDescriptions<T> = {
  readonly [Key in keyof T]-?: undefined extends T[Key] ? Optional<Exclude<T[Key], undefined>> : Description<T[Key]>;
};

/** A string. */
export const text: Description<string> = { kind: "text" };
/** True or false. */
export const flag: Description<boolean> = { kind: "flag" };
/** A finite number: `1e999` is JSON, and parses to an infinity that is none. */
export const number: Description<number> = { kind: "number" };
/** A whole number that arithmetic keeps exact. */
export const integer: Description<number> = { kind: "integer" };
/** An object with any keys. */
export const record: Description<Record<string, unknown>> = { kind: "record" };
/** Anything at all: for the users' own data. */
export const anything: Description<unknown> = { kind: "anything" };
/** A string, or true or false. */
export const textOrFlag: Description<string | boolean> = { kind: "textOrFlag" };

/** An array of what `item` describes. */
export function listOf<T>(item: Description<T>): Description<T[]> {
  return { kind: "list", item };
}

/** Marks a field as one that may be left out. */
export function optional<T>(description: Description<T>): Optional<T> {
  return { optional: description };
}

/** An object with these fields, and any others beside them. */
export function object<T extends object>(fields: FieldDescriptions<T>): Description<T> {
  const entries = Object.entries(fields as Readonly<Record<string, Shape | Optional<unknown>>>);
  return {
    kind: "object",
    fields: entries.map(([key, field]) =>
      "optional" in field ? { key, shape: field.optional, isOptional: true } : { key, shape: field, isOptional: false },
    ),
  };
}
