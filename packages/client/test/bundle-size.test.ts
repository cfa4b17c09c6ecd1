import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";

/** What a page may have to load for the client, its transport and the protocol, minified and gzipped; without schemas. */
const LIMIT_BYTES = 31_150;

const CLIENT = new URL("../src/browser.ts", import.meta.url).pathname;

let code = "";
let inputs: string[] = [];

beforeAll(async () => {
  const { outputFiles, metafile } = await build({
    // What a page writes: one import, and everything it does not need falls away.
    stdin: { contents: `export { connectDaemon } from ${JSON.stringify(CLIENT)};`, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    platform: "browser",
    format: "esm",
    conditions: ["browser", "@daemon-sdk/source"],
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  code = outputFiles[0]?.text ?? "";
  inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
});

describe("the client in a page", () => {
  it(`loads at most ${LIMIT_BYTES} bytes, minified and gzipped`, () => {
    const gzipped = gzipSync(code, { level: 9 }).byteLength;
    process.stdout.write(`Browser bundle: ${code.length} bytes minified, ${gzipped} gzipped (limit ${LIMIT_BYTES})\n`);
    expect(gzipped).toBeLessThanOrEqual(LIMIT_BYTES);
  });

  it("holds no schemas, nothing of Node, of local daemons and of the relay", () => {
    expect(
      inputs.filter((path) => /zod|\/schema|\/relay|local-platform|node_modules\/.*\bws\b|node-/.test(path)),
    ).toEqual([]);
    expect(code).not.toMatch(/node:|\bBuffer\b|\bprocess\./);
  });

  it("holds the limits of a client, and not the daemon's", () => {
    expect(code).toContain("streamBufferBytes");
    expect(code).not.toContain("mailboxEntries");
  });
});
