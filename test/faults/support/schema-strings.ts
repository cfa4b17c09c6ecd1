/** A place in a method's params that takes a string of any length, as far as its type says. */
export interface StringPlace {
  /** Such as `questions[].answer`. */
  readonly path: string;
  /** Params that hold the string there, and beside it what the schema requires. */
  params(text: string): unknown;
}

/** What is used of a schema's definition. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly innerType?: Schema;
  readonly element?: Schema;
  readonly options?: readonly Schema[];
  readonly valueType?: Schema;
  readonly in?: Schema;
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly values?: readonly unknown[];
  readonly getter?: () => Schema;
}
interface Schema {
  readonly _zod: { readonly def: Definition };
}

const DEEPEST = 6;

/** Every place of a schema that takes a string; `good` has the values of fields that stand beside it. */
export function stringPlaces(schema: unknown, good: Readonly<Record<string, unknown>>): StringPlace[] {
  return [...placesIn(schema as Schema, good, 0)].map(({ path, make }) => ({ path, params: make }));
}

interface Place {
  readonly path: string;
  readonly make: (text: string) => unknown;
}

function* placesIn(schema: Schema, good: Readonly<Record<string, unknown>>, depth: number): Generator<Place> {
  const { def } = schema._zod;
  if (depth > DEEPEST) return;
  if (def.type === "string") yield { path: "", make: (text) => text };
  const inner = def.innerType ?? def.in ?? def.getter?.();
  if (inner !== undefined) yield* placesIn(inner, good, depth);
  for (const option of def.options ?? []) yield* placesIn(option, good, depth + 1);
  if (def.element !== undefined) {
    for (const { path, make } of placesIn(def.element, good, depth + 1)) {
      yield { path: joined("[]", path), make: (text) => [make(text)] };
    }
  }
  if (def.valueType !== undefined) {
    for (const { path, make } of placesIn(def.valueType, good, depth + 1)) {
      yield { path: joined("{}", path), make: (text) => ({ key: make(text) }) };
    }
  }
  for (const [name, field] of Object.entries(def.shape ?? {})) {
    for (const { path, make } of placesIn(field, good, depth + 1)) {
      const beside = () => sample(schema, good, depth) as object;
      yield { path: joined(name, path), make: (text) => ({ ...beside(), [name]: make(text) }) };
    }
  }
}

function joined(outer: string, inner: string): string {
  return /^[[{]|^$/.test(inner) ? `${outer}${inner}` : `${outer}.${inner}`;
}

/** Something that the schema takes, as small as it goes. */
function sample(schema: Schema, good: Readonly<Record<string, unknown>>, depth = 0): unknown {
  const { def } = schema._zod;
  if (depth > DEEPEST * 2) return null;
  if (def.shape !== undefined) {
    const required = Object.entries(def.shape).filter(([, field]) => field._zod.def.type !== "optional");
    return Object.fromEntries(required.map(([name, field]) => [name, good[name] ?? sample(field, good, depth + 1)]));
  }
  const inner = def.innerType ?? def.in ?? def.getter?.();
  if (inner !== undefined) return sample(inner, good, depth + 1);
  if (def.options?.[0] !== undefined) return sample(def.options[0], good, depth + 1);
  if (def.entries !== undefined) return Object.values(def.entries)[0];
  if (def.values !== undefined) return def.values[0];
  const simple: Readonly<Record<string, unknown>> = {
    string: "x",
    number: 1,
    int: 1,
    boolean: true,
    array: [],
    record: {},
  };
  return simple[def.type] ?? null;
}
