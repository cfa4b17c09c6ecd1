import { existsSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConnectionError } from "@daemon-sdk/protocol";

const PACKAGE = "@daemon-sdk/local-daemon";

/** Where a daemon's program is looked for; the defaults are those of this process. */
export interface ProgramSearch {
  /** Path of the program. Default: `DAEMON_SDK_PROGRAM` of the environment. */
  readonly named?: string | undefined;
  /** URL of this module. Undefined in a CommonJS bundle, which has none. */
  readonly moduleUrl?: string | undefined;
  /** The script that this process runs, and its directory: bundles lie near the packages that they were made of. */
  readonly script?: string | undefined;
  readonly cwd?: string;
}

/** The command that starts our daemon: Node and the daemon's program. Throws `DAEMON_START_FAILED` where one is missing. */
export function daemonCommand(named?: string): [string, string] {
  return [nodeProgram(), findDaemonProgram({ ...ofThisProcess(), named: named ?? process.env.DAEMON_SDK_PROGRAM })];
}

/**
 * The daemon's program: the named one, the one beside this module, or the one of the package as Node finds it from this module,
 * from the running script or from the working directory. The latter two are for applications that a bundler made one file of.
 */
export function findDaemonProgram(search: ProgramSearch): string {
  const { named, cwd = process.cwd() } = search;
  if (named !== undefined && named !== "") {
    const path = resolve(cwd, named);
    if (existsSync(path)) return path;
    throw missing(`The daemon's program was named, and does not exist: ${path}.`);
  }
  const found = [...besideModule(search.moduleUrl), ...installed(search)].map(outOfArchive).find(existsSync);
  if (found !== undefined) return found;
  throw missing("The daemon's program is missing.");
}

/** Node: this process's own program, or the one of the PATH where this program is not Node but made of it. */
export function nodeProgram(
  own: string | null = isNode() ? process.execPath : null,
  path: string = process.env.PATH ?? "",
): string {
  if (own !== null) return own;
  const name = process.platform === "win32" ? "node.exe" : "node";
  const directories = path.split(delimiter).filter((directory) => isAbsolute(directory));
  const found = directories.map((directory) => join(directory, name)).find(existsSync);
  if (found !== undefined) return found;
  throw new ConnectionError(
    "DAEMON_START_FAILED",
    "The daemon runs on Node, and no `node` is in the PATH. Install Node 20 or newer, or start the daemon with `local-daemon start`.",
  );
}

function ofThisProcess(): ProgramSearch {
  return { moduleUrl: import.meta.url, script: process.argv[1], cwd: process.cwd() };
}

/** `dist` when sources run unbuilt. */
function besideModule(moduleUrl: string | undefined): string[] {
  if (!moduleUrl?.startsWith("file:")) return [];
  return ["./daemon.cjs", "../../../dist/daemon.cjs"].map((path) => fileURLToPath(new URL(path, moduleUrl)));
}

/** As Node finds a package. By hand: bundlers replace `createRequire`. */
function installed({ moduleUrl, script, cwd }: ProgramSearch): string[] {
  const own = moduleUrl?.startsWith("file:") ? fileURLToPath(moduleUrl) : undefined;
  const bases = [own && dirname(own), script && dirname(resolve(script)), cwd];
  const directories = bases.flatMap((base) => (base ? [...upwards(base)] : []));
  return directories.map((directory) => join(directory, "node_modules", PACKAGE, "dist", "daemon.cjs"));
}

function* upwards(base: string): Generator<string> {
  for (let directory = base; ; directory = dirname(directory)) {
    yield directory;
    if (directory === dirname(directory)) return;
  }
}

/** Electron's archives can be read by Electron only; what has to be a file of its own is unpacked beside them. */
function outOfArchive(path: string): string {
  const unpacked = path.replace(/\.asar([/\\])/, ".asar.unpacked$1");
  return existsSync(unpacked) ? unpacked : path;
}

/** Bun, Deno and single executables are not: they would run the application again. Electron is, with ELECTRON_RUN_AS_NODE. */
function isNode(): boolean {
  const { bun, deno } = process.versions;
  if (bun !== undefined || deno !== undefined || "pkg" in process) return false;
  return process.getBuiltinModule("node:sea")?.isSea() !== true;
}

function missing(what: string): ConnectionError {
  return new ConnectionError(
    "DAEMON_START_FAILED",
    `${what} Install ${PACKAGE} where the application runs, or name the file \`dist/daemon.cjs\` of that package with ` +
      "DAEMON_SDK_PROGRAM or the option `daemonProgram`.",
  );
}
