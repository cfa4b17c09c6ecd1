import type { Logger } from "@daemon-sdk/protocol";
import type { LoadJsonSchema } from "../base/index.js";
import type { StructuredOutputError } from "./events.js";
import { type OutputFormatOption, type ResolvedOutputFormat, resolveOutputFormat } from "./output-format.js";

/** Reads the `outputFormat` option; see `resolveOutputFormat`. */
export type ReadOutputFormat = (option: OutputFormatOption | undefined) => ResolvedOutputFormat | undefined;

/**
 * Reads `outputFormat` options so that the answer to a bare JSON Schema is checked as well, by a library that is loaded for the
 * first such answer. Without that library, a warning is logged for each answer.
 */
export function outputFormatReader(load: LoadJsonSchema | undefined, logger: Logger): ReadOutputFormat {
  return (option) => {
    const format = resolveOutputFormat(option);
    if (format === undefined || format.validate !== undefined || load === undefined) return format;
    return { ...format, check: (value) => check(load, logger, format.wire.schema, value) };
  };
}

async function check(
  load: LoadJsonSchema,
  logger: Logger,
  schema: Record<string, unknown>,
  value: unknown,
): Promise<StructuredOutputError | undefined> {
  const compile = await load();
  if (compile === undefined) {
    logger.warn({}, "An answer was not checked against its JSON Schema: install `ajv`, or pass a Standard Schema");
    return undefined;
  }
  try {
    const message = compile(schema)(value);
    return message === undefined ? undefined : { code: "schema_validation_failed", message };
  } catch (error) {
    return { code: "invalid_schema", message: error instanceof Error ? error.message : String(error) };
  }
}
