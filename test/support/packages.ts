import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** Root of the repository. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What an export map may hold: a file, or further conditions in the order they are tried. */
export type ExportTarget = string | { readonly [condition: string]: ExportTarget };

/** The fields of a `package.json` that the architecture rests on. */
export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly license?: string;
  readonly repository?: { readonly url: string };
  readonly sideEffects?: boolean;
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, ExportTarget>>;
  readonly publishConfig?: { readonly access?: string; readonly exports?: Readonly<Record<string, ExportTarget>> };
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** One member of the workspace. */
export interface WorkspacePackage {
  /** Name of its folder. */
  readonly folder: string;
  readonly directory: string;
  readonly manifest: Manifest;
}

/** Members of the workspace under `packages` or `apps`. */
export function workspacePackages(group: "packages" | "apps"): WorkspacePackage[] {
  return readdirSync(join(ROOT, group)).map((folder) => {
    const directory = join(ROOT, group, folder);
    const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
    return { folder, directory, manifest };
  });
}

/** One TypeScript file, parsed. */
export interface SourceFile {
  /** Relative to the package's `src`, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

/** Every TypeScript file of a package's `src`. */
export function sourceFiles(owner: WorkspacePackage): SourceFile[] {
  const root = join(owner.directory, "src");
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => {
      const text = readFileSync(join(root, path), "utf8");
      const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
      return { path: path.replaceAll("\\", "/"), text, tree };
    });
}

/** One place where a file names another module. */
export interface ImportSite {
  readonly specifier: string;
  /** `dynamic` is `import("…")` (or `require`) at run time; `types` leaves nothing behind in the output. */
  readonly kind: "static" | "dynamic" | "types";
}

/** Every module a file names, wherever in it. */
export function importSites(file: SourceFile): ImportSite[] {
  const sites: ImportSite[] = [];
  visit(file.tree, (node) => {
    const site = importSite(node);
    if (site) sites.push(site);
  });
  return sites;
}

function importSite(node: ts.Node): ImportSite | undefined {
  if (ts.isImportDeclaration(node)) {
    return site(
      node.moduleSpecifier,
      node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? "types" : "static",
    );
  }
  if (ts.isExportDeclaration(node)) return site(node.moduleSpecifier, node.isTypeOnly ? "types" : "static");
  if (ts.isImportTypeNode(node))
    return site(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, "types");
  if (ts.isCallExpression(node) && isModuleCall(node.expression)) return site(node.arguments[0], "dynamic");
  return undefined;
}

function isModuleCall(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === "require");
}

function site(specifier: ts.Node | undefined, kind: ImportSite["kind"]): ImportSite | undefined {
  return specifier && ts.isStringLiteralLike(specifier) ? { specifier: specifier.text, kind } : undefined;
}

/** Calls `see` with a node and everything below it. */
export function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

/** Name of the package that a bare specifier belongs to: `@scope/name` of `@scope/name/door`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? specifier);
}
