import fc from "fast-check";

/** Values that tend to be mistaken for others. `1e999` is Infinity, which JSON text can spell. */
const replacement = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    0,
    -1,
    1.5,
    2 ** 53,
    Number.POSITIVE_INFINITY,
    "",
    "x",
    "tool_use",
    "text",
    true,
    false,
    [],
    {},
    [[]],
    [{}],
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

type Path = readonly (string | number)[];

/** Every place within a JSON value, the value itself included. */
function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...at, key]))];
}

function change(value: unknown, [key, ...rest]: Path, to: (old: unknown) => unknown): unknown {
  if (key === undefined) return to(value);
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...(value as object) };
  const changed = change(Reflect.get(copy, key), rest, to);
  if (changed === undefined) Reflect.deleteProperty(copy, key);
  else Reflect.set(copy, key, changed);
  // A hole left by a deleted element is no JSON.
  return Array.isArray(copy) ? copy.filter(() => true) : copy;
}

/** The example after up to three changes: a value replaced, a key removed, or a key added. */
export function mutationsOf(example: unknown): fc.Arbitrary<unknown> {
  const step = fc.record({ at: fc.nat(), how: fc.constantFrom("replace", "remove", "add"), to: replacement });
  return fc.array(step, { maxLength: 3 }).map((steps) =>
    steps.reduce<unknown>((value, { at, how, to }) => {
      const paths = pathsOf(value);
      const path = paths[at % paths.length] ?? [];
      if (how === "replace") return change(value, path, () => to);
      if (how === "remove") return path.length === 0 ? value : change(value, path, () => undefined);
      return change(value, path, (old) => (isObject(old) ? { ...old, added: to } : old));
    }, example),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
