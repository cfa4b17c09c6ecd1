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
