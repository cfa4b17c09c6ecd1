/** Builds every package and the examples. Unchanged ones come from turbo's cache. */
import { isMain, runQuietly } from "./run.mjs";
import { ensureInstalled } from "./setup.mjs";

/** Installs if needed, then builds. */
export async function build() {
  await ensureInstalled();
  await runQuietly("Build", "turbo", ["run", "build", "--output-logs=errors-only", "--no-update-notifier"]);
}

/**
 * Builds what a package needs to run from here, without declaration files: they take four fifths of a first build. Installs if needed.
 */
export async function buildPrograms(name) {
  await ensureInstalled();
  const args = ["run", "build", `--filter=${name}...`, "--output-logs=errors-only", "--no-update-notifier"];
  await runQuietly("Build, without types", "turbo", args, { env: { DAEMON_SDK_BUILD: "programs" } });
}

if (isMain(import.meta.url)) await build();
