import { readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { expect, test } from "vitest";
import { ROOT, workspacePackages } from "./support/packages.js";
import { type TestBlock, TestReader } from "./support/test-blocks.js";

const members = [...workspacePackages("packages"), ...workspacePackages("apps")];
const roots = [join(ROOT, "test"), ...members.map(({ directory }) => join(directory, "test"))];

test("every test can fail by an assertion", () => {
  const reader = new TestReader();
  const blocks = roots.flatMap(filesOf).flatMap((path) => reader.blocksOf(path).map((block) => ({ path, ...block })));
  expect(blocks.length).toBeGreaterThan(900);
  const empty = blocks.filter(({ asserts }) => !asserts);
  expect(empty.map(({ path, line, title }) => `${relative(ROOT, path)}:${line} ${title}`)).toEqual([]);
});

test.each([
  ["", "call();"],
  ["", "expect(value);"],
  ["", "send(expect.any(String));"],
  ["", "for (const one of all) take(one, () => expected(one));"],
  ["function check() { look(); }", "check();"],
  ["function check() { again(); } function again() { check(); }", "check();"],
  ['import { silent } from "./checks.js";', "silent();"],
  ["const expect = 1;", "// expect(value).toBe(1);"],
])("a test without an assertion is found: %s %s", (head, body) => {
  expect(blocksOf(head, body)).toMatchObject([{ title: '"it holds"', line: 3, asserts: false }]);
});

test.each([
  ["", "expect(value).toBe(1);"],
  ["", "await expect(value).resolves.not.toBe(1);"],
  ["", "await expect.poll(value).toBe(1);"],
  ["", "assert.equal(value, 1);"],
  ["", "fc.assert(property);"],
  ["", "each(() => assertFrame(frame));"],
  ["function check() { expect(value).toBe(1); }", "await check();"],
  ["const check = () => again(); function again() { check(); expect(value).toBe(1); }", "check();"],
  ["class Check { constructor() { expect(value).toBe(1); } }", "new Check();"],
  ['import { told as heard } from "./checks.js";', "heard();"],
  ['import { handed } from "./door.js";', "handed();"],
])("a test with one is not: %s %s", (head, body) => {
  expect(blocksOf(head, body)).toMatchObject([{ asserts: true }]);
});

test("tests are found under every name and form, also when a function of another file is their body", () => {
  const blocks = blocksIn(`
    import { it as that, test } from "vitest";
    import { silent, told } from "./checks.js";
    test.each([1])("in a table", () => {});
    test.skipIf(never).each\`\`("in a template", () => {});
    that("by another name", told);
    that("with a time limit", { timeout: 1 }, silent);
    test.todo("some day");
  `);
  const found = blocks.map(({ title, asserts }) => `${title} ${asserts}`);
  expect(found).toEqual([
    '"in a table" false',
    '"in a template" false',
    '"by another name" true',
    '"with a time limit" false',
  ]);
});

function blocksOf(head: string, body: string): TestBlock[] {
  return blocksIn(`import { test } from "vitest";\n${head}\ntest("it holds", async () => { ${body} });`);
}

function blocksIn(text: string): TestBlock[] {
  const files = new Map([
    ["a.test.ts", text],
    ["checks.ts", "export const silent = () => look(); export function told() { expect(value).toBe(1); }"],
    ["door.ts", 'export { told as handed } from "./checks.js";'],
  ]);
  return new TestReader((path) => files.get(path)).blocksOf("a.test.ts");
}

function filesOf(directory: string): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter(isOurs);
  return names.filter((name) => name.endsWith(".ts")).map((name) => join(directory, name));
}

/** Peers that the interoperation installs below `test/interop` have tests of their own. */
function isOurs(name: string): boolean {
  return !name.split(sep).includes("node_modules");
}
