import * as z from "zod/mini";

/** Any schema. */
export type Schema<Value = unknown> = z.ZodMiniType<Value>;

/** Schemas that the OpenAPI document holds under a name. */
const COMPONENTS = z.registry<{ id: string }>();

/** Gives a schema the name under which the OpenAPI document holds it. */
export function component<Value>(id: string, schema: Schema<Value>): Schema<Value> {
  COMPONENTS.add(schema, { id });
  return schema;
}

/** The name of a schema in the OpenAPI document. */
export function componentId(schema: Schema): string | undefined {
  return COMPONENTS.get(schema)?.id;
}

/** A schema with a description for the OpenAPI document. */
export function described<Value>(schema: Schema<Value>, description: string): Schema<Value> {
  z.globalRegistry.add(schema, { description });
  return schema;
}

/** A schema under a description of its own; the schema itself, which may be in use elsewhere, stays as it is. */
export function redescribed<Value>(schema: Schema<Value>, description: string): Schema<Value> {
  return described(z.clone(schema as z.core.$ZodType) as Schema<Value>, description);
}

/**
 * Fields of an object of the wire, so that the gateway takes what the daemon takes, within the same bounds. That the published schemas
 * are objects is hidden by their types.
 */
export function fieldsOf<Value extends object, Name extends keyof Value & string>(
  schema: Schema<Value>,
  names: readonly Name[],
): { [Key in Name]: Schema<Value[Key]> } {
  const { shape } = (schema as unknown as z.ZodMiniObject)._zod.def;
  const fields = names.map((name) => [name, shape[name]]);
  return Object.fromEntries(fields) as { [Key in Name]: Schema<Value[Key]> };
}

/** JSON Schema of every named schema, by name; they refer to one another as parts of an OpenAPI document. */
export function componentSchemas(): Record<string, object> {
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(COMPONENTS, { uri, io: "input" });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _dialect, $id: _address, ...schema }]) => [name, schema]),
  );
}

/** JSON Schema of a schema that has no name. */
export function jsonSchemaOf(schema: Schema): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}
