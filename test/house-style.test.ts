import ts from "typescript";
import { describe, expect, test } from "vitest";
import { type SourceFile, sourceFiles, visit, workspacePackages } from "./support/packages.js";

/** About 300 lines are the aim; a file is cut by what it is about, so the test fails only well above. */
const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 40;

describe.each(workspacePackages("packages"))("source of $folder", (owner) => {
  const files = sourceFiles(owner);

  test(`has no file over ${MAX_FILE_LINES} lines`, () => {
    const long = files.filter((file) => lineCount(file) > MAX_FILE_LINES);
    expect(long.map((file) => `${file.path}: ${lineCount(file)}`)).toEqual([]);
  });

  test(`has no function over ${MAX_FUNCTION_LINES} lines`, () => {
    expect(placesOf(files, isLongFunction)).toEqual([]);
  });

  test("never says any", () => {
    expect(placesOf(files, (node) => node.kind === ts.SyntaxKind.AnyKeyword)).toEqual([]);
  });

  test("throws errors with a code, never a plain Error", () => {
    expect(placesOf(files, isPlainError)).toEqual([]);
  });

  test("leaves nothing to do later", () => {
    const marks = files.filter((file) => /\b(TODO|FIXME|XXX|HACK)\b/.test(file.text));
    expect(marks.map((file) => file.path)).toEqual([]);
  });

  test("names its files in kebab-case and has no drawer for leftovers", () => {
    const names = files.map((file) => file.path);
    expect(names.filter((name) => !/^([a-z0-9-]+\/)*[a-z0-9-]+(\.machine)?\.tsx?$/.test(name))).toEqual([]);
    expect(names.filter((name) => /(^|\/)(utils?|helpers?|misc|common)(\/|\.ts$)/.test(name))).toEqual([]);
  });
});

function lineCount(file: SourceFile): number {
  return file.text.trimEnd().split("\n").length;
}

function isLongFunction(node: ts.Node): boolean {
  if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return false;
  // An expression, such as a table, is a value and not steps.
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) return false;
  const source = node.getSourceFile();
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  return lineOf(node.getEnd()) - lineOf(node.getStart()) + 1 > MAX_FUNCTION_LINES;
}

function isPlainError(node: ts.Node): boolean {
  return ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "Error";
}

function placesOf(files: readonly SourceFile[], matches: (node: ts.Node) => boolean): string[] {
  const places: string[] = [];
  for (const file of files) {
    visit(file.tree, (node) => {
      if (!matches(node)) return;
      const { line } = file.tree.getLineAndCharacterOfPosition(node.getStart());
      places.push(`${file.path}:${line + 1}`);
    });
  }
  return places;
}
