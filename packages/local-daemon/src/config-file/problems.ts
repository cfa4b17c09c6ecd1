import type * as z from "zod/mini";
import type { Place } from "./json-places.js";
import { JsonPlaces } from "./json-places.js";
import { nearestName } from "./nearest-name.js";
import { type ConfigFile, configSchema } from "./schema.js";

/** What is wrong in a configuration file, and where. No text repeats a value: it may be a key. */
export interface ConfigProblem extends Place {
  /** Dotted path, such as `agents.mine.command`; empty for the file itself. */
  readonly key: string;
  readonly message: string;
}

/** A file that was read: its content, or what is wrong in it. */
export type ConfigReading =
  | { readonly config: ConfigFile; readonly places: JsonPlaces }
  | { readonly problems: readonly [ConfigProblem, ...ConfigProblem[]] };

type Issue = z.core.$ZodIssue;

/** A key that is shown although nothing like it is known. Anything longer, or with digits, might be a secret. */
const SHOWN_KEY = /^[A-Za-z_-]{1,32}$/;

/** Reads the text of a configuration file. */
export function parseConfig(text: string): ConfigReading {
  const places = new JsonPlaces(text);
  const { fault } = places;
  if (fault !== undefined) {
    return { problems: [{ key: "", ...places.placeOf(fault.offset), message: `not valid JSON: ${fault.message}` }] };
  }
  const value: unknown = JSON.parse(text);
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return { config: parsed.data, places };
  const problems = parsed.error.issues
    .flatMap((issue) => problemsOf(issue, []))
    .map(({ path, key, message }) => ({ key, ...places.find(path.join(".")), message: message(at(value, path)) }));
  return { problems: problems as [ConfigProblem, ...ConfigProblem[]] };
}

/** One line for people. */
export function problemText({ key, line, column, message }: ConfigProblem): string {
  return `line ${line}, column ${column}: ${key === "" ? "" : `${key}: `}${message}`;
}

interface Finding {
  /** Where it stands in the file. */
  readonly path: readonly string[];
  /** What the message calls it. */
  readonly key: string;
  message(found: unknown): string;
}

function problemsOf(issue: Issue, around: readonly PropertyKey[]): Finding[] {
  const path = [...around, ...issue.path].map(String);
  const key = path.join(".");
  if (issue.code === "unrecognized_keys") return issue.keys.map((name) => unknownKey(name, path));
  if (issue.code === "invalid_union") {
    // The branch for a value of this type: the others say no more than that they are for other types.
    const meant = issue.errors.find(
      (errors) => !errors.some(({ code, path: at }) => code === "invalid_type" && at.length === 0),
    );
    if (meant !== undefined) return meant.flatMap((inner) => problemsOf(inner as Issue, path));
    return [{ path, key, message: (found) => `expected a text or an object, found ${kindOf(found)}` }];
  }
  if (issue.code === "invalid_key") return [{ path, key, message: () => "a name here must not be empty" }];
  // The library's own text, which depends on the language that the program has set for all of its schemas.
  const wanted = issue.message.startsWith("Invalid input") ? "an object" : issue.message;
  return [{ path, key, message: (found) => `expected ${wanted}, found ${kindOf(found)}` }];
}

function unknownKey(name: string, parts: readonly string[]): Finding {
  const known = keysAt(configSchema, parts);
  const near = nearestName(name, known);
  const isShown = near !== undefined || SHOWN_KEY.test(name);
  const key = [...parts, isShown ? name : "…"].join(".");
  const help = near === undefined ? `known keys: ${known.join(", ")}` : `did you mean "${near}"?`;
  return { path: [...parts, name], key, message: () => `unknown key; ${help}` };
}

/** The keys that the object at a path may have. */
function keysAt(schema: z.ZodMiniType, path: readonly string[]): string[] {
  const { def } = schema._zod as unknown as { def: SchemaDefinition };
  if (def.innerType !== undefined) return keysAt(def.innerType, path);
  if (def.options !== undefined) return def.options.flatMap((option) => keysAt(option, path));
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(def.shape ?? {});
  const next = def.shape?.[first] ?? def.valueType ?? def.element;
  return next === undefined ? [] : keysAt(next, rest);
}

/** What a schema is made of, as far as `keysAt` follows it. */
interface SchemaDefinition {
  readonly innerType?: z.ZodMiniType;
  readonly options?: readonly z.ZodMiniType[];
  readonly shape?: Readonly<Record<string, z.ZodMiniType>>;
  readonly valueType?: z.ZodMiniType;
  readonly element?: z.ZodMiniType;
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const part of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<string, unknown>)[part];
  }
  return found;
}

/** A number is repeated: no secret is one. */
function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "an object";
  return value === "" ? "an empty text" : "a text";
}
