import { existsSync, readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import ts from "typescript";
import { visit } from "./packages.js";

/** One `test` or `it` of a file. */
export interface TestBlock {
  readonly title: string;
  /** The line on which it begins, from 1. */
  readonly line: number;
  /** Whether it can fail by an assertion. */
  readonly asserts: boolean;
}

/** A function that a block may call, and the file in which it stands. */
interface Helper {
  readonly node: ts.Node;
  readonly path: string;
}

/** What a file declares, and where its relative imports come from. */
interface Module {
  readonly tree: ts.SourceFile;
  /** Functions, classes and constants of the file by name, wherever in it they stand. */
  readonly declared: ReadonlyMap<string, ts.Node>;
  /** Names from relative imports: the file, and the name there. */
  readonly imported: ReadonlyMap<string, { readonly path: string; readonly name: string }>;
  /** Local names of the runner's `test` and `it`. */
  readonly registrars: ReadonlySet<string>;
}

/**
 * Reads tests by their syntax alone and says which of them can fail by an assertion.
 *
 * A block asserts when its body has a call of `expect(…).…`, `assert…` or a method of such a name (`fc.assert`), or calls a function
 * or constructs a class, of its file or from a relative import, whose body does. Where it stands in the body, and whether it is
 * reached, makes no difference.
 */
export class TestReader {
  readonly #modules = new Map<string, Module>();
  readonly #read: (path: string) => string | undefined;

  /** @param read the text of a file; undefined where there is none. Default: from the disk */
  constructor(read: (path: string) => string | undefined = readIfThere) {
    this.#read = read;
  }

  /** Every block that the file at `path` registers. */
  blocksOf(path: string): TestBlock[] {
    const module = this.#module(path);
    const blocks: TestBlock[] = [];
    visit(module.tree, (node) => {
      if (!ts.isCallExpression(node) || !isRegistration(node, module.registrars)) return;
      const body = node.arguments.find((argument) => isFunction(argument) || isNameOf(argument, module));
      const [title] = node.arguments;
      if (body === undefined || title === undefined) return;
      const { line } = module.tree.getLineAndCharacterOfPosition(node.getStart());
      blocks.push({ title: title.getText(), line: line + 1, asserts: this.#asserts({ node: body, path }) });
    });
    return blocks;
  }

  /** Whether something in this node asserts. What has been seen already adds nothing, or recursion would not end. */
  #asserts(helper: Helper, seen = new Set<ts.Node>()): boolean {
    if (seen.has(helper.node)) return false;
    seen.add(helper.node);
    if (some(helper.node, isAssertion)) return true;
    return some(helper.node, (node) => this.#calledBy(node, helper).some((called) => this.#asserts(called, seen)));
  }

  /** The functions that a call, or a test that is given a function by its name, leads to. */
  #calledBy(node: ts.Node, { node: owner, path }: Helper): Helper[] {
    const isCall = ts.isCallExpression(node) || ts.isNewExpression(node);
    const callee = isCall ? node.expression : node === owner ? node : undefined;
    if (callee === undefined || !ts.isIdentifier(callee)) return [];
    const helper = this.#resolve(callee.text, path);
    return helper === undefined ? [] : [helper];
  }

  #resolve(name: string, path: string): Helper | undefined {
    const module = this.#module(path);
    const node = module.declared.get(name);
    if (node !== undefined) return { node, path };
    const source = module.imported.get(name);
    return source === undefined ? undefined : this.#resolve(source.name, source.path);
  }

  #module(path: string): Module {
    const known = this.#modules.get(path);
    if (known !== undefined) return known;
    const module = parseModule(path, this.#read(path) ?? "");
    this.#modules.set(path, module);
    return module;
  }
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function parseModule(path: string, text: string): Module {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const declared = new Map<string, ts.Node>();
  const imported = new Map<string, { path: string; name: string }>();
  const registrars = new Set<string>();
  visit(tree, (node) => {
    if (isFunctionOrClass(node) && node.name !== undefined) declared.set(node.name.text, node);
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined) {
      declared.set(node.name.text, node.initializer);
    }
    for (const { specifier, local, name } of namesFrom(node)) {
      if (specifier === "vitest" && (name === "test" || name === "it")) registrars.add(local);
      const target = join(dirname(path), specifier.replace(/\.js$/, ".ts"));
      // The code under test asserts nothing for the test.
      if (specifier.startsWith(".") && !target.includes(`${sep}src${sep}`)) imported.set(local, { path: target, name });
    }
  });
  return { tree, declared, imported, registrars };
}

/** The names that an import takes from a file, or that an export hands on from one. */
function namesFrom(node: ts.Node): { specifier: string; local: string; name: string }[] {
  const isImport = ts.isImportDeclaration(node);
  if (!(isImport || ts.isExportDeclaration(node))) return [];
  const { moduleSpecifier: from } = node;
  const names = isImport ? node.importClause?.namedBindings : node.exportClause;
  if (from === undefined || !ts.isStringLiteral(from) || names === undefined) return [];
  if (!(ts.isNamedImports(names) || ts.isNamedExports(names))) return [];
  return names.elements.map(({ name, propertyName }) => ({
    specifier: from.text,
    local: name.text,
    name: (propertyName ?? name).text,
  }));
}

/** `test(…)`, `test.skipIf(…)(…)`, `test.each(…)(…)`; not the `test.each(…)` within, nor `test.todo(…)`, which have no body. */
function isRegistration(call: ts.CallExpression, registrars: ReadonlySet<string>): boolean {
  const isInner =
    (ts.isCallExpression(call.parent) || ts.isPropertyAccessExpression(call.parent)) && call.parent.expression === call;
  return !isInner && registrars.has(rootOf(call) ?? "");
}

function some(node: ts.Node, holds: (node: ts.Node) => boolean): boolean {
  return holds(node) || ts.forEachChild(node, (child) => some(child, holds)) === true;
}

/** The identifier with which a chain of calls and properties begins. */
function rootOf(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isTaggedTemplateExpression(node)) return rootOf(node.tag);
  return ts.isCallExpression(node) || ts.isPropertyAccessExpression(node) ? rootOf(node.expression) : undefined;
}

const ASSERTS = /^(expect|assert)(?![a-z])/;
/** What `expect` itself can do that fails a test. Its other properties make values, such as `expect.any(…)`. */
const FAILS = new Set(["assertions", "hasAssertions", "unreachable"]);

/** A call by such a name. A bare `expect(value)` claims nothing: something has to be called on it. */
function isAssertion(node: ts.Node): boolean {
  if (!ts.isCallExpression(node)) return false;
  const { expression: callee } = node;
  if (ts.isIdentifier(callee)) return ASSERTS.test(callee.text) && callee.text !== "expect";
  if (!ts.isPropertyAccessExpression(callee)) return false;
  if (ts.isIdentifier(callee.expression) && callee.expression.text === "expect") return FAILS.has(callee.name.text);
  return ASSERTS.test(callee.name.text) || ASSERTS.test(rootOf(callee) ?? "");
}

function isFunction(node: ts.Node): boolean {
  return ts.isArrowFunction(node) || ts.isFunctionExpression(node);
}

function isFunctionOrClass(node: ts.Node): node is ts.FunctionDeclaration | ts.ClassDeclaration {
  return ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node);
}

function isNameOf(node: ts.Node, { declared, imported }: Module): boolean {
  return ts.isIdentifier(node) && (declared.has(node.text) || imported.has(node.text));
}
