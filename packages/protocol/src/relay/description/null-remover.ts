import { isRecord } from "../../base/index.js";
import type { Field, Shape } from "./description.js";

/** Removes the optional fields of a value that are `null`, in place. */
export type NullRemover = (value: unknown) => void;

/**
 * Makes the remover of a description: peers written in other languages send `null` for what is absent. A remover touches
 * described optional fields only, and so never the data of users. Undefined when the description has no such field.
 */
export function nullRemoverOf(shape: Shape): NullRemover | undefined {
  if (shape.kind === "object") return objectRemover(shape.fields);
  const remover = shape.kind === "list" ? nullRemoverOf(shape.item) : undefined;
  if (remover === undefined) return undefined;
  return (value) => {
    if (Array.isArray(value)) for (const item of value) remover(item);
  };
}

function objectRemover(fields: readonly Field[]): NullRemover | undefined {
  const optional = new Set(fields.filter(({ isOptional }) => isOptional).map(({ key }) => key));
  const inner = new Map<string, NullRemover>();
  for (const { key, shape } of fields) {
    const remover = nullRemoverOf(shape);
    if (remover !== undefined) inner.set(key, remover);
  }
  if (optional.size === 0 && inner.size === 0) return undefined;
  return (value) => {
    if (!isRecord(value)) return;
    for (const key in value) {
      const held = value[key];
      if (held === null) {
        if (optional.has(key)) delete value[key];
      } else if (typeof held === "object") inner.get(key)?.(held);
    }
  };
}
