import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const SOURCES = new URL("../packages/local-daemon/src/", import.meta.url).pathname;
const LEVELS = /^(debug|info|warn|error)$/;
const LOGGER = /log(ger)?$/i;

/** Names of the fields that a source file writes to the log; those of spread objects are written elsewhere. */
function fieldsIn(path: string): string[] {
  const text = readFileSync(path, "utf8");
  const names: string[] = [];
  if (!/\.(debug|info|warn|error)\(/.test(text)) return names;
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    ts.forEachChild(node, visit);
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
    const { name, expression: logger } = node.expression;
    const [fields] = node.arguments;
    if (!LEVELS.test(name.text) || !LOGGER.test(logger.getText()) || node.arguments.length !== 2) return;
    if (fields === undefined || !ts.isObjectLiteralExpression(fields)) return;
    for (const { name: field } of fields.properties) if (field !== undefined) names.push(field.getText());
  };
  visit(source);
  return names;
}

test("docs/operations.md has each field of the daemon's log", () => {
  const docs = readFileSync(new URL("../docs/operations.md", import.meta.url), "utf8");
  const table = docs.slice(docs.indexOf("| field | what |"), docs.indexOf("## Metrics\n"));
  const listed = new Set([...table.matchAll(/`([A-Za-z]+)`/g)].map(([, name]) => name));
  const sources = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  const written = new Set(sources.flatMap((path) => fieldsIn(join(SOURCES, path))));
  expect(written.size).toBeGreaterThan(40);
  expect([...written].filter((name) => !listed.has(name))).toEqual([]);
});
