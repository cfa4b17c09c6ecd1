import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { METHODS, SESSION_NOTIFICATION_TYPES } from "../../src/index.js";
import { NOTIFICATIONS } from "../schema/examples.js";
import { wireJsonSchema } from "./wire-json-schema.js";

const document = wireJsonSchema() as { $id: string; $defs: Record<string, object> };
const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document);
const validatorOf = (name: string) => ajv.compile({ $ref: `${document.$id}#/$defs/${name}` });

test("the package holds the JSON Schema of the wire; `npm run json-schema:update` writes it anew", async () => {
  await expect(`${JSON.stringify(document, null, 1)}\n`).toMatchFileSnapshot("../../json-schema.json");
});

test("every method has its params and its result in it, every notification its type, and each part compiles", () => {
  const names = Object.keys(document.$defs);
  for (const { name } of Object.values(METHODS)) expect(names).toEqual(expect.arrayContaining([`${name}.params`]));
  for (const type of SESSION_NOTIFICATION_TYPES) expect(names).toContain(`notification.${type}`);
  for (const name of names) expect(validatorOf(name)).toBeTypeOf("function");
});

test("it accepts what the zod schemas accept, and refuses what lacks a field", () => {
  for (const [type, example] of Object.entries(NOTIFICATIONS)) {
    const validate = validatorOf(`notification.${type}`);
    expect([type, validate(example), validate.errors]).toEqual([type, true, null]);
    expect(validate({ ...example, type: "another" })).toBe(false);
  }
  const call = { type: "request", id: "1", method: "daemon.ping", params: {}, jsonrpc: "2.0" };
  expect(ajv.validate(document.$id, { ...call, factoryApiVersion: "1.0.0" })).toBe(true);
  expect(ajv.validate(document.$id, call)).toBe(false);
  expect(validatorOf("add_user_message.params")({ text: "hello" })).toBe(false);
  expect(validatorOf("add_user_message.params")({ sessionId: "s", text: "hello" })).toBe(true);
});
