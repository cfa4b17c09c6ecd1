import { Validator } from "@seriousme/openapi-schema-validator";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, test } from "vitest";
import { openApiDocument } from "../src/index.js";
import { openGateway } from "./support/gateway.js";

const document = openApiDocument();

test("the document is a valid OpenAPI 3.1 document", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document) as Record<string, unknown>);
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe("3.1");
});

test("every schema that the document names is in it, and each has a name", () => {
  const text = JSON.stringify(document);
  const { schemas } = (document as { components: { schemas: Record<string, unknown> } }).components;
  const named = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? "");
  expect(named.filter((name) => schemas[name] === undefined)).toEqual([]);
  expect(Object.keys(schemas)).not.toContain("__shared");
});

test("the package holds the document, and the gateway serves it; `npm run openapi:update` writes it anew", async () => {
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot("../openapi.json");
  await using gateway = await openGateway();
  expect(await (await gateway.call("GET", "/openapi.json")).json()).toEqual(document);
});

test("openapi-typescript makes of it the types that the consumer is compiled with", async () => {
  const types = astToString(await openapiTS(structuredClone(document) as never));
  await expect(types).toMatchFileSnapshot("generated/http-api.d.ts");
});
