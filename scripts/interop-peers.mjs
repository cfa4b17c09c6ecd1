/** The published peers of an interoperation: installed on demand, each at the version that its folder pins. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runQuietly } from "./run.mjs";
import { ensureInstalled } from "./setup.mjs";

/** Installs the peers of a folder where they are missing or of another version, and builds what runs against them. */
export async function ensurePeers(folder) {
  await ensureInstalled();
  await installPeers(folder);
  const filters = ["--filter=@daemon-sdk/client", "--filter=@daemon-sdk/local-daemon"];
  const quiet = ["--output-logs=errors-only", "--no-update-notifier"];
  await runQuietly("Build", "turbo", ["run", "build", ...filters, ...quiet]);
}

/** Installs the peers of a folder where they are missing or of another version. */
export async function installPeers(folder) {
  if (areInstalled(folder)) return;
  // Not `ci`: it fails where a registry lacks an optional package of another platform.
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  await runQuietly("Install the published peers", "npm", args, { cwd: folder });
}

function areInstalled(folder) {
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return Object.entries(dependencies).every(
    ([name, pinned]) => version(join(folder, "node_modules", name, "package.json")) === pinned,
  );
}

function version(manifest) {
  try {
    return JSON.parse(readFileSync(manifest, "utf8")).version;
  } catch {
    return undefined;
  }
}
