import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type BuildOptions, buildSync, version as esbuildVersion, stop } from "esbuild";
import { SOURCE_BUNDLE } from "./source-bundle.js";

/** By its name, for the fault scenarios bundle this file into a program that lies elsewhere. */
const PACKAGE = dirname(createRequire(import.meta.url).resolve("@daemon-sdk/local-daemon/package.json"));
/** Inside the package, so that its dependencies are found from there; thrown away with them. */
const CACHE = join(PACKAGE, "node_modules", ".cache", "daemon-sdk-failpoints");
const SOURCES = ["src", "../protocol/src", "../transport-ws/src"];

const OPTIONS: BuildOptions = {
  entryPoints: {
    index: "src/index.ts",
    bin: "src/bin.ts",
    daemon: "src/daemon-main.ts",
    "daemon-program": "src/daemon-program.ts",
    "pino-log": "src/daemon/pino-log.ts",
    "checkpoint-worker": "src/storage/checkpoint-worker.ts",
    "salvage-worker": "src/storage/salvage/salvage-worker.ts",
    "search-worker": "src/search/search-worker.ts",
    "workspace-agent": "src/workspace-agent/main.ts",
  },
  outExtension: { ".js": ".cjs" },
  ...SOURCE_BUNDLE,
  logLevel: "error",
};

/** The daemon's programs, built so that `DAEMON_TEST_FAILPOINT=<name>[:n]` ends the process at the n-th pass of a place. */
export interface FailpointBuild {
  /** `ensureLocalDaemon` and its like, which start the `daemon.cjs` beside them. CommonJS. */
  readonly index: string;
  /** The daemon as a program: `node daemon.cjs [--port n]` with `DAEMON_SDK_HOME`. */
  readonly daemon: string;
  readonly bin: string;
}

const FAILPOINTS = { ...SOURCE_BUNDLE.define, __DAEMON_FAILPOINTS__: "true" };

const built = new Map<string, FailpointBuild>();

/**
 * Builds them, once for each content of the sources; takes about half a second then.
 *
 * @param version the version that the programs state; default that of unbuilt sources
 */
export function failpointBuild(version = ""): FailpointBuild {
  const known = built.get(version) ?? buildOnce(version);
  built.set(version, known);
  return known;
}

function buildOnce(version: string): FailpointBuild {
  const define = version === "" ? FAILPOINTS : { ...FAILPOINTS, __LOCAL_DAEMON_VERSION__: JSON.stringify(version) };
  const folder = join(CACHE, fingerprint({ ...OPTIONS, define }));
  if (!existsSync(folder)) {
    // Under another name until it is whole: several test files may build at once.
    const temp = join(CACHE, `${randomBytes(6).toString("hex")}.tmp`);
    mkdirSync(temp, { recursive: true });
    buildSync({ ...OPTIONS, define, absWorkingDir: PACKAGE, outdir: temp });
    // The builder is a process, which would stay as long as this one.
    void stop();
    try {
      renameSync(temp, folder);
    } catch {
      rmSync(temp, { recursive: true, force: true });
    }
  }
  const file = (name: string) => join(folder, `${name}.cjs`);
  return { index: file("index"), daemon: file("daemon"), bin: file("bin") };
}

/** What the sources say, and how they are built. */
function fingerprint(options: BuildOptions): string {
  const hash = createHash("sha256").update(esbuildVersion).update(JSON.stringify(options));
  for (const folder of SOURCES) {
    const root = join(PACKAGE, folder);
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort((a, b) => (a < b ? -1 : 1))) {
      hash.update(path).update(readFileSync(path));
    }
  }
  return hash.digest("hex").slice(0, 24);
}
