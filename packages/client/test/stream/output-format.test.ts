import { silentLogger } from "@daemon-sdk/protocol";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expect, test, vi } from "vitest";
import * as z from "zod";
import type { OutputFormatOption } from "../../src/index.js";
import { outputFormatReader } from "../../src/stream/json-schema-check.js";
import { resolveOutputFormat, settleStructuredOutput } from "../../src/stream/output-format.js";
import { connected, OUR_CAPABILITIES, resultOf } from "../support.js";

const person = z.object({ name: z.string(), age: z.number() });

async function answer<Output>(text: string, outputFormat: OutputFormatOption<Output>) {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  daemon.onPrompt((prompt) => void prompt.message(text));
  const session = await connection.createSession();
  const result = await resultOf(session.stream<Output>("who?", { outputFormat }));
  return { result, sent: (await daemon.waitForRequest("add_user_message")).params.outputFormat };
}

test("a Standard Schema goes out as JSON Schema, and its output comes back typed", async () => {
  const { result, sent } = await answer('{"name":"Ada","age":36}', person);
  expect(sent).toMatchObject({ type: "json_schema", schema: { type: "object", required: ["name", "age"] } });
  expect(result).toMatchObject({ subtype: "success", structuredOutput: { name: "Ada", age: 36 } });
  const output: { name: string; age: number } | undefined = result.structuredOutput;
  expect(output?.name).toBe("Ada");
});

test("an answer that the schema refuses makes the turn fail, and says where", async () => {
  const { result } = await answer('{"name":"Ada","age":"old"}', person);
  expect(result).toMatchObject({
    subtype: "error_structured_output",
    isError: true,
    structuredOutputError: { code: "schema_validation_failed", message: expect.stringContaining("age") },
  });
  expect(result).not.toHaveProperty("structuredOutput");
});

test("what the schema makes of the answer is what comes back", async () => {
  const trimmed = z.object({ name: z.string().transform((name) => name.trim()) });
  const { result } = await answer('{"name":" Ada "}', trimmed);
  expect(result.structuredOutput).toEqual({ name: "Ada" });
});

test.each([
  ["the wire's form", { type: "json_schema", schema: { type: "object" } }],
  ["a bare JSON Schema", { type: "object" }],
] as const)("%s is taken, and goes out in the wire's form", async (_name, format) => {
  const { result, sent } = await answer('{"any":1}', format as OutputFormatOption);
  expect(sent).toEqual({ type: "json_schema", schema: { type: "object" } });
  expect(result).toMatchObject({ subtype: "success", structuredOutput: { any: 1 } });
});

test("an answer that is no JSON object is told as missing", async () => {
  for (const text of ["sorry", "[1]", "7"]) {
    const { result } = await answer(text, { type: "object" });
    expect(result).toMatchObject({
      subtype: "error_structured_output",
      structuredOutputError: { code: "missing_structured_output" },
    });
  }
});

const verdict = { type: "object", properties: { verdict: { type: "string" } }, required: ["verdict"] };

test.each([
  ["draft 7", verdict],
  ["draft 2020-12", { ...verdict, $schema: "https://json-schema.org/draft/2020-12/schema" }],
  ["the wire's form", { type: "json_schema", schema: verdict }],
])("an answer is checked against a bare JSON Schema: %s", async (_name, schema) => {
  expect((await answer('{"verdict":"merge"}', schema)).result).toMatchObject({
    subtype: "success",
    structuredOutput: { verdict: "merge" },
  });
  const { result } = await answer('{"verdict":7}', schema);
  expect(result).toMatchObject({
    subtype: "error_structured_output",
    structuredOutputError: {
      code: "schema_validation_failed",
      message: expect.stringContaining("/verdict must be string"),
    },
  });
  expect(result).not.toHaveProperty("structuredOutput");
});

test("a bare JSON Schema that is none is told as invalid, once there is an answer", async () => {
  const { result } = await answer('{"verdict":7}', { type: "no type" });
  expect(result).toMatchObject({ structuredOutputError: { code: "invalid_schema", message: expect.any(String) } });
});

test("where nothing can check a bare JSON Schema, the answer is given, and the log says that it was not checked", async () => {
  const warn = vi.fn();
  const read = outputFormatReader(() => Promise.resolve(undefined), { ...silentLogger, warn });
  const format = read(verdict);
  expect(await settleStructuredOutput(format as never, { value: { verdict: 7 } }, "")).toEqual({
    value: { verdict: 7 },
  });
  expect(warn).toHaveBeenCalledWith({}, expect.stringContaining("`ajv`"));
});

test.each([
  ["a fenced block", '```json\n{"verdict":"merge"}\n```'],
  ["a fenced block in prose", 'Here it is:\n```json\n{"verdict":"merge"}\n```\nDone.'],
  ["the last of several blocks", '```json\n{"verdict":"draft"}\n```\nor rather\r\n```\r\n{"verdict":"merge"}\r\n```'],
  ["a block behind another language's", '```sh\nls\n```\n  ```json\n  {"verdict":"merge"}\n  ```'],
])("an answer is found in %s", async (_name, text) => {
  expect((await answer(text, verdict)).result).toMatchObject({
    subtype: "success",
    structuredOutput: { verdict: "merge" },
  });
});

test.each(["a reason", "an error"])("structured_output_invalid as %s is error_structured_output", async (kind) => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  const session = await connection.createSession();
  daemon.onPrompt((prompt) => {
    const type = "structured_output_invalid";
    if (kind === "a reason") prompt.end(type, { message: "no JSON came" });
    else prompt.notify({ type: "error", message: "no JSON came", errorType: type, timestamp: "2026-01-01T00:00:00Z" });
  });
  expect(await resultOf(session.stream("x", { outputFormat: verdict }))).toMatchObject({
    subtype: "error_structured_output",
    structuredOutputError: { code: "invalid_structured_output", message: "no JSON came" },
  });
});

test("what the agent declared goes before its text, an error before both", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  const session = await connection.createSession();
  daemon.onPrompt((prompt) => {
    prompt.notify({ type: "structured_output", messageId: "m", structuredOutput: { from: "agent" } });
    prompt.message('{"from":"text"}');
  });
  const outputFormat = { type: "object" } as const;
  expect((await resultOf(session.stream("x", { outputFormat }))).structuredOutput).toEqual({ from: "agent" });
  const structuredOutputError = { code: "invalid_structured_output", message: "no" };
  daemon.onPrompt((prompt) =>
    prompt.notify({ type: "structured_output", messageId: "m", structuredOutput: null, structuredOutputError }),
  );
  expect(await resultOf(session.stream("x", { outputFormat }))).toMatchObject({
    subtype: "error_structured_output",
    structuredOutputError,
  });
});

test("of a turn that failed the failure is told, not the missing output", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  daemon.onPrompt((prompt) => prompt.fail(new RangeError("no credit")));
  const session = await connection.createSession();
  expect(await resultOf(session.stream("x", { outputFormat: person }))).toMatchObject({
    subtype: "error_during_execution",
    error: { message: "no credit" },
  });
});

describe("a Standard Schema that cannot make its JSON Schema", () => {
  const validate: StandardSchemaV1<unknown, { ok: true }> = {
    "~standard": { version: 1, vendor: "test", validate: async () => ({ value: { ok: true } }) },
  };

  test("is refused with what to pass instead", () => {
    expect(() => resolveOutputFormat(validate as never)).toThrow(/\{ type: "json_schema", schema, validate \}/);
    const dates = z.object({ when: z.date() });
    expect(() => resolveOutputFormat(dates)).toThrow(/can be written as JSON Schema/);
  });

  test("validates beside a JSON Schema", async () => {
    const { result } = await answer('{"any":1}', { type: "json_schema", schema: { type: "object" }, validate });
    expect(result.structuredOutput).toEqual({ ok: true });
  });
});

test("a validator that throws counts as one that refused", async () => {
  const wire = { type: "json_schema", schema: {} } as const;
  const validate = () => {
    throw new RangeError("bug");
  };
  expect(await settleStructuredOutput({ wire, validate }, { value: {} }, "")).toMatchObject({
    error: { code: "schema_validation_failed", message: expect.stringContaining("bug") },
  });
});
