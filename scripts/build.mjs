/** Builds every package and the examples. Unchanged ones come from turbo's cache. */
import { isMain, runQuietly } from "./run.mjs";
import { ensureInstalled } from "./setup.mjs";

/** Installs if needed, then builds. */
export async function build() {
  await ensureInstalled();
  await runQuietly("Build", "turbo", ["run", "build", "--output-logs=errors-only", "--no-update-notifier"]);
}

if (isMain(import.meta.url)) await build();
