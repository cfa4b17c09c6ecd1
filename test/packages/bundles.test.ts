import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build, type Format } from "esbuild";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ROOT } from "../support/packages.js";

const run = promisify(execFile);
const DAEMON = join(ROOT, "packages", "local-daemon");
const PROGRAM = join(DAEMON, "dist", "daemon.cjs");
/** What esbuild asks of every ESM bundle with CommonJS dependencies, here `ws`. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

describe.each<{ format: Format; file: string; banner: string }>([
  { format: "esm", file: "main.mjs", banner: REQUIRE },
  { format: "cjs", file: "main.cjs", banner: "" },
])("an application that esbuild made one $format file of", ({ format, file, banner }) => {
  let directory = "";
  let bundle = "";

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "bundled-"));
    bundle = join(directory, "out", file);
    await build({
      stdin: {
        contents: 'import { main } from "./app.mjs"; main().then(console.log);',
        resolveDir: join(ROOT, "test", "bundlers"),
      },
      bundle: true,
      platform: "node",
      format,
      banner: { js: banner },
      outfile: bundle,
      logLevel: "silent",
    });
  });

  afterEach(async () => {
    await run(process.execPath, [join(DAEMON, "dist", "bin.cjs"), "stop"], { env: environment({}) });
    rmSync(directory, { recursive: true, force: true });
  });

  const environment = (more: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
    ...process.env,
    DAEMON_SDK_HOME: join(directory, "state"),
    ...more,
  });
  const start = (more: NodeJS.ProcessEnv = {}) => run(process.execPath, [bundle], { cwd: "/", env: environment(more) });

  test("starts the daemon of the package that is installed beside it", async () => {
    mkdirSync(join(directory, "node_modules", "@daemon-sdk"), { recursive: true });
    symlinkSync(DAEMON, join(directory, "node_modules", "@daemon-sdk", "local-daemon"), "junction");
    expect((await start()).stdout).toBe("bundle: all well\n");
  });

  test("starts the program that DAEMON_SDK_PROGRAM names, and says so where there is none", async () => {
    await expect(start()).rejects.toThrow(
      /The daemon's program is missing. Install @daemon-sdk\/local-daemon.*DAEMON_SDK_PROGRAM/,
    );
    await expect(start({ DAEMON_SDK_PROGRAM: join(directory, "none.cjs") })).rejects.toThrow(
      /was named, and does not exist: .*none.cjs/,
    );
    writeFileSync(join(directory, "other.cjs"), `require(${JSON.stringify(PROGRAM)});`);
    expect((await start({ DAEMON_SDK_PROGRAM: join(directory, "other.cjs") })).stdout).toBe("bundle: all well\n");
  });
});
