import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import type { Measure } from "../measure.js";

const FIRST = "what a page loads to connect";
const ALL = "all that is needed for sessions";

/** What a page loads of the client as published, minified and gzipped. */
export const bundle: Measure = {
  name: "bundle",
  title: "Browser bundle of the client, minified and gzipped",
  unit: "bytes",
  better: "less",
  rounds: 1,
  warmUpRounds: 0,
  bars: [
    { contestant: FIRST, atMost: 14_500 },
    { contestant: ALL, atMost: 28_000 },
  ],
  async open() {
    const { first, all } = await sizes();
    const contestants = [
      { name: FIRST, round: async () => first },
      { name: ALL, round: async () => all },
    ];
    return { contestants, close: async () => {} };
  },
};

async function sizes(): Promise<{ first: number; all: number }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: 'export { connectDaemon } from "@daemon-sdk/client";', resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    splitting: true,
    platform: "browser",
    format: "esm",
    conditions: ["browser"],
    legalComments: "none",
    outdir: "/page",
    entryNames: "page",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const first = staticallyImported(metafile.outputs);
  const bytes = outputFiles.map(({ path, text }) => ({
    isFirst: first.has(nameOf(path)),
    bytes: gzipSync(text, { level: 9 }).byteLength,
  }));
  const sum = (some: typeof bytes) => some.reduce((total, file) => total + file.bytes, 0);
  return { first: sum(bytes.filter(({ isFirst }) => isFirst)), all: sum(bytes) };
}

/** Names of the chunks that come with the page's program; `import()` is not followed. */
function staticallyImported(outputs: Metafile["outputs"]): ReadonlySet<string> {
  const importsOf = new Map(Object.entries(outputs).map(([path, { imports }]) => [nameOf(path), imports]));
  const names = new Set(["page.js"]);
  for (const name of names) {
    for (const { kind, path } of importsOf.get(name) ?? []) if (kind === "import-statement") names.add(nameOf(path));
  }
  return names;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
