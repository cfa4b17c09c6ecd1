import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { beforeAll, expect, test } from "vitest";
import { type ExportTarget, ROOT, workspacePackages } from "./support/packages.js";

/** One file of names for each entry; `npm run names:update` writes them anew. */
const PINNED = join(ROOT, "test", "public-names");

interface Entry {
  /** `client/relay`, or `client/relay (browser)` where a browser gets another source. */
  readonly name: string;
  /** File of its names in {@link PINNED}. */
  readonly file: string;
  /** The source that its names come from. */
  readonly source: string;
}

const entries = publicEntries();
let program: ts.Program;
beforeAll(() => {
  const config = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  program = ts.createProgram(
    entries.map(({ source }) => source),
    options,
  );
});

test.each(entries)("$name exports the names that are pinned, and no other", async ({ name, file, source }) => {
  const names = await exportedNames(source);
  expect(names.length).toBeGreaterThan(0);
  const advice =
    `The public names of ${name} are not those of ${relative(ROOT, join(PINNED, file))}. A name that is gone or new changes what ` +
    "users can write. If that is meant, run `npm run names:update`, commit the file, and describe the change with `npm run changeset`.";
  await expect(`${names.join("\n")}\n`, advice).toMatchFileSnapshot(join(PINNED, file));
});

test("no names are pinned for an entry that is gone", () => {
  const files = entries.map(({ file }) => file);
  expect(readdirSync(PINNED).filter((file) => !files.includes(file))).toEqual([]);
});

/** Every entry of every package with the source of each condition, the same source once. */
function publicEntries(): Entry[] {
  return workspacePackages("packages").flatMap(({ folder, directory, manifest }) =>
    Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
      const name = join(folder, subpath);
      const sources = [
        ...new Map(
          sourcesOf(target)
            .map(({ source, condition }) => [source, condition] as const)
            .reverse(),
        ),
      ];
      return sources.map(([source, condition]): Entry => {
        const isBrowser = condition === "browser" && sources.length > 1;
        const file = `${name.replaceAll("/", ".")}${isBrowser ? ".browser" : ""}.txt`;
        return { name: isBrowser ? `${name} (browser)` : name, file, source: join(directory, source) };
      });
    }),
  );
}

/** The TypeScript sources of an entry, each with the condition around it. */
function sourcesOf(target: ExportTarget, condition = ""): { source: string; condition: string }[] {
  if (typeof target === "string") return [];
  return Object.entries(target).flatMap(([name, inner]) => {
    if (name !== "@daemon-sdk/source") return sourcesOf(inner, name);
    return typeof inner === "string" ? [{ source: inner, condition }] : [];
  });
}

/** As one would import them: `connectDaemon`, and `type ConnectOptions` for what is gone at run time. */
async function exportedNames(source: string): Promise<string[]> {
  const file = program.getSourceFile(source);
  const checker = program.getTypeChecker();
  const symbol = file && checker.getSymbolAtLocation(file);
  const values: object = await import(pathToFileURL(source).href);
  const names = symbol ? checker.getExportsOfModule(symbol).map(({ name }) => name) : [];
  return names.map((name) => (Object.hasOwn(values, name) ? name : `type ${name}`)).sort(byCode);
}

/** The same order on every machine, whatever its language. */
function byCode(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
