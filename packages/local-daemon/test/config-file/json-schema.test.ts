import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as z from "zod/mini";
import { configSchema } from "../../src/config-file/schema.js";

const FILE = "../../config.schema.json";

test("the published JSON Schema is that of the daemon (vitest -u writes it anew)", async () => {
  const schema = z.toJSONSchema(configSchema, { io: "input" });
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(FILE);
});

test("the published JSON Schema describes every key", () => {
  const { properties } = JSON.parse(readFileSync(new URL(FILE, import.meta.url), "utf8"));
  const undescribed = Object.entries<{ description?: string }>(properties).filter(
    ([, { description }]) => !description,
  );
  expect(undescribed).toEqual([]);
});
