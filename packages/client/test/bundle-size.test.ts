import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";

/**
 * What a page has to load before it can connect, for the client, its transport and the protocol, minified and gzipped, without
 * schemas: the chunks that its program imports statically.
 */
const FIRST_LIMIT_BYTES = 14_900;
/** The same and the half that is loaded beside the dial: all that is needed for sessions. */
const LIMIT_BYTES = 42_000;

const PAGE = "page.js";

interface Chunk {
  readonly code: string;
  readonly bytes: number;
  readonly isFirst: boolean;
}

/** As published, files that a bundler cannot cut further could undo what the sources promise. */
const BUILDS = [
  { of: "from its sources", conditions: ["browser", "@daemon-sdk/source"] },
  { of: "as published", conditions: ["browser"] },
];

describe.each(BUILDS)("the client in a page, $of", ({ of, conditions }) => {
  let chunks: readonly Chunk[] = [];
  let inputs: readonly string[] = [];

  beforeAll(async () => {
    ({ chunks, inputs } = await bundlePage(conditions));
  });

  it(`loads at most ${FIRST_LIMIT_BYTES} bytes to connect, minified and gzipped`, () => {
    const first = sizeOf(chunks.filter(({ isFirst }) => isFirst));
    const all = sizeOf(chunks);
    process.stdout.write(
      `Browser bundle ${of}, gzipped: ${first} bytes before the dial (limit ${FIRST_LIMIT_BYTES}), ` +
        `${all - first} beside it, ${all} in all (limit ${LIMIT_BYTES})\n`,
    );
    expect(first).toBeLessThanOrEqual(FIRST_LIMIT_BYTES);
  });

  it(`loads at most ${LIMIT_BYTES} bytes in all, and the rest of them beside the dial`, () => {
    expect(sizeOf(chunks)).toBeLessThanOrEqual(LIMIT_BYTES);
    const holding = (text: string) => chunks.filter(({ code }) => code.includes(text)).map(({ isFirst }) => isFirst);
    expect(holding("authenticate")).toContain(true);
    for (const late of ["load_session", "assistant_text_delta"]) expect(holding(late)).toEqual([false]);
  });

  it("holds no schemas, nothing of Node, of local daemons and of the relay", () => {
    expect(
      inputs.filter((path) => /zod|\/schema|\/relay|local-platform|node_modules\/.*\bws\b|node-/.test(path)),
    ).toEqual([]);
    for (const { code } of chunks) expect(code).not.toMatch(/node:|\bBuffer\b|\bprocess\./);
  });

  it("holds the limits of a client, and not the daemon's", () => {
    const code = chunks.map((chunk) => chunk.code).join();
    expect(code).toContain("streamBufferBytes");
    expect(code).not.toContain("mailboxEntries");
  });
});

/** What a page's own tools make of one import: everything it does not need falls away. */
async function bundlePage(conditions: string[]): Promise<{ chunks: readonly Chunk[]; inputs: readonly string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: 'export { connectDaemon } from "@daemon-sdk/client";', resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    splitting: true,
    platform: "browser",
    format: "esm",
    conditions,
    legalComments: "none",
    outdir: "/page",
    entryNames: "page",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const first = staticallyImported(metafile.outputs);
  const chunks = outputFiles.map(({ path, text }) => {
    const bytes = gzipSync(text, { level: 9 }).byteLength;
    return { code: text, bytes, isFirst: first.has(nameOf(path)) };
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  return { chunks, inputs };
}

/** Names of the chunks that come with the page's program, as its imports are followed; `import()` is not. */
function staticallyImported(outputs: Metafile["outputs"]): ReadonlySet<string> {
  const importsOf = new Map(Object.entries(outputs).map(([path, { imports }]) => [nameOf(path), imports]));
  const names = new Set([PAGE]);
  for (const name of names) {
    for (const { kind, path } of importsOf.get(name) ?? []) if (kind === "import-statement") names.add(nameOf(path));
  }
  return names;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function sizeOf(some: readonly Chunk[]): number {
  return some.reduce((sum, { bytes }) => sum + bytes, 0);
}
