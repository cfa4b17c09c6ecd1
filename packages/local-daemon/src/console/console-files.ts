import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { DaemonError } from "@daemon-sdk/protocol";

/** One file of the console. */
export interface ConsoleFile {
  readonly type: string;
  readonly body: Buffer;
  /** Whether the file's name changes with its content, so that a browser may keep the file. */
  readonly isVersioned: boolean;
}

const TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".svg", "image/svg+xml"],
]);

/**
 * The files of `@daemon-sdk/console` by their paths below the console's own, `""` being its page. All are read at once: what a browser
 * asks for later is looked up among them and never in the file system.
 *
 * Rejects with `LOCAL_DAEMON_UNAVAILABLE` when the package is not installed or not built.
 */
export async function readConsoleFiles(): Promise<ReadonlyMap<string, ConsoleFile>> {
  try {
    const manifest = createRequire(import.meta.url).resolve("@daemon-sdk/console/package.json");
    const root = join(dirname(manifest), "dist");
    const assets = await readdir(join(root, "assets"));
    const paths = ["index.html", ...assets.map((name) => `assets/${name}`)];
    const files = await Promise.all(paths.map((path) => readConsoleFile(root, path)));
    return new Map(files);
  } catch (cause) {
    const text =
      "The console needs the package @daemon-sdk/console. Install it where @daemon-sdk/local-daemon is installed.";
    throw new DaemonError("LOCAL_DAEMON_UNAVAILABLE", text, { cause });
  }
}

async function readConsoleFile(root: string, path: string): Promise<[string, ConsoleFile]> {
  const type = TYPES.get(extname(path)) ?? "application/octet-stream";
  const isPage = path === "index.html";
  return [isPage ? "" : path, { type, body: await readFile(join(root, path)), isVersioned: !isPage }];
}
