import type { StructuredOutcome } from "@daemon-sdk/protocol";
import { InvalidOptionError, isRecord, type OutputFormat } from "@daemon-sdk/protocol";
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { checkFunction } from "../base/index.js";
import type { StructuredOutputError } from "./events.js";

/**
 * The format that the final answer must have:
 *
 * - a Standard Schema that can make its JSON Schema (Zod 4.2+, ArkType, …): the answer is validated and transformed by it;
 * - `{ type: "json_schema", schema, validate? }`: a JSON Schema, and a Standard Schema of a library that cannot make one;
 * - a bare JSON Schema object. The answer is checked where the optional package `ajv` is installed, in Node.
 */
export type OutputFormatOption<Output = unknown> =
  | StandardJSONSchemaV1<unknown, Output>
  | (OutputFormat & { validate?: StandardSchemaV1<unknown, Output> })
  | { [keyword: string]: unknown; type?: unknown; "~standard"?: never };

/** An output format as it is sent, and what checks the answer here. */
export interface ResolvedOutputFormat {
  readonly wire: OutputFormat;
  readonly validate?: StandardSchemaV1["~standard"]["validate"];
  /** Checks an answer to a bare JSON Schema; resolves with its error, or undefined. */
  readonly check?: (value: unknown) => Promise<StructuredOutputError | undefined>;
}

/** Drafts requested of a Standard Schema, in this order; a library throws for a draft that it cannot make. */
const TARGETS = ["draft-2020-12", "draft-07"] as const;

/** Reads the `outputFormat` option. Throws an `InvalidOptionError` when no JSON Schema can be made of it. */
export function resolveOutputFormat(option: OutputFormatOption | undefined): ResolvedOutputFormat | undefined {
  if (option === undefined) return undefined;
  // ArkType schemas are functions.
  const isObject = isRecord(option) || typeof option === "function";
  if (!isObject) throw new InvalidOptionError("outputFormat", "a JSON Schema or a Standard Schema", option);
  const standard: unknown = Reflect.get(option, "~standard");
  if (standard !== undefined) return fromStandard(standard);
  if (Reflect.get(option, "type") !== "json_schema") return { wire: { type: "json_schema", schema: { ...option } } };
  return fromWireForm(option as Record<string, unknown>);
}

function fromWireForm({ schema, validate }: Record<string, unknown>): ResolvedOutputFormat {
  if (!isRecord(schema)) throw new InvalidOptionError("outputFormat.schema", "a JSON Schema object", schema);
  const wire: OutputFormat = { type: "json_schema", schema };
  if (validate === undefined) return { wire };
  const standard: unknown = Reflect.get(Object(validate), "~standard");
  if (!isRecord(standard)) throw new InvalidOptionError("outputFormat.validate", "a Standard Schema", validate);
  return { wire, ...validatorOf(standard) };
}

function fromStandard(standard: unknown): ResolvedOutputFormat {
  const converter = isRecord(standard) ? standard.jsonSchema : undefined;
  if (!isRecord(standard) || !isRecord(converter) || typeof converter.input !== "function") {
    throw new InvalidOptionError(
      "outputFormat",
      'a Standard Schema that can make its JSON Schema; where a library cannot, pass { type: "json_schema", schema, validate }',
    );
  }
  const schema = toJsonSchema(converter as unknown as StandardJSONSchemaV1.Converter);
  return { wire: { type: "json_schema", schema }, ...validatorOf(standard) };
}

function toJsonSchema(converter: StandardJSONSchemaV1.Converter): Record<string, unknown> {
  let failure: unknown;
  for (const target of TARGETS) {
    try {
      // The agent writes the *input* of the schema; the schema's transforms run here, afterwards.
      return converter.input({ target });
    } catch (error) {
      failure = error;
    }
  }
  const reason = failure instanceof Error ? failure.message : "no supported draft";
  throw new InvalidOptionError("outputFormat", `a schema that can be written as JSON Schema (${reason})`);
}

function validatorOf(standard: Record<string, unknown>): Pick<ResolvedOutputFormat, "validate"> {
  checkFunction("outputFormat.validate", standard.validate);
  return standard.validate === undefined
    ? {}
    : { validate: standard.validate as NonNullable<ResolvedOutputFormat["validate"]> };
}

/**
 * The structured output of a turn: what the agent declared, else its final text read as JSON
 * (docs/wire/session.md#results), then checked.
 *
 * Never rejects: a validator that throws counts as a refusal.
 */
export async function settleStructuredOutput(
  format: ResolvedOutputFormat,
  declared: { value: unknown; error?: StructuredOutputError } | undefined,
  text: string,
): Promise<StructuredOutcome> {
  if (declared?.error !== undefined) return { error: declared.error };
  const value = declared?.value ?? objectIn(text);
  if (!isRecord(value)) {
    return {
      error: { code: "missing_structured_output", message: "The turn ended without a JSON object as its answer." },
    };
  }
  if (format.validate === undefined) {
    const error = await format.check?.(value);
    return error === undefined ? { value } : { error };
  }
  try {
    const checked = await format.validate(value);
    if (checked.issues === undefined) return { value: checked.value };
    return { error: { code: "schema_validation_failed", message: checked.issues.map(describeIssue).join("; ") } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { error: { code: "schema_validation_failed", message: `The schema's validator threw: ${message}` } };
  }
}

/** The text as JSON; else its last fenced block that is a JSON object, as many models answer. */
function objectIn(text: string): unknown {
  const whole = parsed(text);
  if (whole !== undefined) return whole;
  const blocks = fencedBlocks(text);
  return blocks.map(parsed).findLast(isRecord);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The contents of the blocks between lines of three backticks. Line by line, because a long text may hold many of them. */
function fencedBlocks(text: string): string[] {
  const blocks: string[] = [];
  let open: string[] | undefined;
  for (const line of text.split("\n")) {
    const isFence = line.trimStart().startsWith("```");
    if (!isFence) open?.push(line);
    else if (open === undefined) open = [];
    else {
      blocks.push(open.join("\n"));
      open = undefined;
    }
  }
  return blocks;
}

function describeIssue({ message, path }: StandardSchemaV1.Issue): string {
  const keys = (path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  return keys.length === 0 ? message : `${keys.join(".")}: ${message}`;
}
