import ts from "typescript";
import { describe, expect, test } from "vitest";
import { type SourceFile, sourceFiles, visit, workspacePackages } from "./support/packages.js";

const MAX_FILE_LINES = 300;

describe.each(workspacePackages("packages"))("source of $folder", (owner) => {
  const files = sourceFiles(owner);

  test(`has no file over ${MAX_FILE_LINES} lines`, () => {
    const long = files.filter((file) => lineCount(file) > MAX_FILE_LINES);
    expect(long.map((file) => `${file.path}: ${lineCount(file)}`)).toEqual([]);
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
    expect(names.filter((name) => !/^([a-z0-9-]+\/)*[a-z0-9-]+(\.machine)?\.ts$/.test(name))).toEqual([]);
    expect(names.filter((name) => /(^|\/)(utils?|helpers?|misc|common)(\/|\.ts$)/.test(name))).toEqual([]);
  });
});

function lineCount(file: SourceFile): number {
  return file.text.trimEnd().split("\n").length;
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
