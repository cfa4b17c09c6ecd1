import * as z from "zod/mini";
import { METHODS } from "../../src/index.js";
import { envelopeSchemaOf, PAYLOAD_SCHEMAS } from "../../src/relay/schema.js";
import * as schema from "../../src/schema.js";

/** Address of the document; not where it is published, but what its parts are named after. */
const ID = "https://github.com/daemon-sdk/daemon-sdk/blob/main/packages/protocol/json-schema.json";

/**
 * JSON Schema of the whole wire, made of the zod schemas. `$defs` has envelopes and values under the names of their types, params
 * and results as `<method>.params` and `<method>.result`, notifications as `notification.<type>`, the relay's as `relay.<TYPE>`.
 */
export function wireJsonSchema(): object {
  const registry = z.registry<{ id: string }>();
  const add = (id: string, part: z.ZodMiniType) => {
    if (!registry.has(part)) registry.add(part, { id });
  };
  const aliases: Record<string, object> = {};
  const addOrRefer = (id: string, part: z.ZodMiniType) => {
    const known = registry.get(part)?.id;
    if (known === undefined) add(id, part);
    else aliases[id] = { $ref: `#/$defs/${known}` };
  };
  for (const [name, part] of Object.entries(schema)) {
    const [, first = "", rest = ""] = /^(\w)(\w*)Schema$/.exec(name) ?? [];
    if (first !== "" && isSchema(part)) addOrRefer(first.toUpperCase() + rest, part);
  }
  for (const [key, { params, result }] of Object.entries(schema.METHOD_SCHEMAS)) {
    const { name } = METHODS[key as keyof typeof METHODS];
    addOrRefer(`${name}.params`, params as z.ZodMiniType);
    addOrRefer(`${name}.result`, result as z.ZodMiniType);
  }
  for (const [type, part] of Object.entries(schema.NOTIFICATION_SCHEMAS)) addOrRefer(`notification.${type}`, part);
  for (const type of Object.keys(PAYLOAD_SCHEMAS) as (keyof typeof PAYLOAD_SCHEMAS)[])
    addOrRefer(`relay.${type}`, envelopeSchemaOf(type));
  const uri = (id: string) => `#/$defs/${id}`;
  const { schemas } = z.toJSONSchema(registry, { uri, io: "input", unrepresentable: "any" });
  const parts = Object.entries(schemas).map(([id, { $schema: _dialect, $id: _address, ...part }]) => [id, part]);
  const sorted = [...parts, ...Object.entries(aliases)].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: ID,
    title: "The wire of daemon-sdk",
    anyOf: ["RequestEnvelope", "ResponseEnvelope", "NotificationEnvelope"].map((name) => ({ $ref: uri(name) })),
    $defs: Object.fromEntries(sorted),
  };
}

function isSchema(value: unknown): value is z.ZodMiniType {
  return typeof value === "object" && value !== null && "_zod" in value;
}
