import * as z from "zod/mini";
import { TEXT_LIMITS, type TextBound } from "../limits/index.js";

/** Names the bound and both numbers, never the value. */
function tooMany(bound: TextBound, length: number, unit: string): string {
  return `${length} ${unit} are too many, ${TEXT_LIMITS[bound]} are the limit (${bound})`;
}

function lengthOf(value: unknown): number {
  return typeof value === "string" || Array.isArray(value) ? value.length : 0;
}

/** A string within a bound of {@link TEXT_LIMITS}. */
export function bounded(bound: TextBound): z.ZodMiniType<string> {
  return z
    .string()
    .check(z.maxLength(TEXT_LIMITS[bound], { error: ({ input }) => tooMany(bound, lengthOf(input), "characters") }));
}

/** As {@link bounded}; the string has to name something. */
export function boundedName(bound: TextBound): z.ZodMiniType<string> {
  return bounded(bound).check(z.minLength(1, "must not be empty"));
}

/** A list of as many items as a bound of {@link TEXT_LIMITS} allows. */
export function boundedList<Item>(item: z.ZodMiniType<Item>, bound: TextBound): z.ZodMiniType<Item[]> {
  return z
    .array(item)
    .check(z.maxLength(TEXT_LIMITS[bound], { error: ({ input }) => tooMany(bound, lengthOf(input), "items") }));
}

/** A value whose JSON text is within a bound of {@link TEXT_LIMITS}. */
export function boundedJson<Value>(schema: z.ZodMiniType<Value>, bound: TextBound): z.ZodMiniType<Value> {
  const charsOf = (value: unknown) => JSON.stringify(value)?.length ?? 0;
  return schema.check(
    z.refine((value) => charsOf(value) <= TEXT_LIMITS[bound], {
      error: ({ input }) => tooMany(bound, charsOf(input), "characters of JSON"),
    }),
  );
}
